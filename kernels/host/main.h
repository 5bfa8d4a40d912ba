// Runs the jobs named on the command line, as src/bin/export.rs wrote them, and compares.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

static std::vector<uint8_t> slurp(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw "cannot read a file of the job";
    return {std::istreambuf_iterator<char>(file), {}};
}

static int run_job(const std::string &folder, std::map<std::string, host::Entry> &entries)
{
    std::ifstream file(folder + "/job.txt");
    std::vector<std::vector<uint8_t>> buffers;
    std::string line;
    int wrong = 0;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        if (what == "buffer") {
            buffers.push_back(slurp(folder + "/before." + std::to_string(buffers.size())));
        } else if (what == "launch") {
            std::string name;
            size_t count;
            words >> name >> gridDim.x >> gridDim.y >> gridDim.z >> blockDim.x >> blockDim.y >> blockDim.z >> count;
            std::vector<host::Argument> arguments(count);
            for (auto &argument : arguments) {
                std::string word;
                words >> word;
                argument.pointer = word[0] != 'x';
                if (argument.pointer) {
                    size_t plus = word.find('+');
                    argument.address = buffers.at(std::stoul(word)).data() + std::stoul(word.substr(plus + 1));
                } else {
                    for (size_t i = 1; i + 1 < word.size(); i += 2)
                        argument.bytes.push_back(std::stoi(word.substr(i, 2), nullptr, 16));
                }
            }
            if (!entries.count(name))
                throw "no such entry";
            host::Entry &entry = entries[name];
            std::function<void()> body = [&] { entry(arguments); };
            for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
                for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
                    for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
                        host::run_cta(body);
        } else if (what == "expect") {
            size_t index;
            words >> index;
            auto expected = slurp(folder + "/after." + std::to_string(index));
            auto &got = buffers.at(index);
            size_t at = 0;
            while (at < got.size() && at < expected.size() && got[at] == expected[at])
                ++at;
            if (got.size() != expected.size() || at < got.size()) {
                std::printf("DIFFERS %s buffer %zu byte %zu of %zu\n", folder.c_str(), index, at, got.size());
                ++wrong;
            }
        }
    }
    if (wrong == 0)
        std::printf("same    %s\n", folder.c_str());
    return wrong;
}

int main(int count, char **words)
{
    std::map<std::string, host::Entry> entries = host_entries();
    int wrong = 0;
    for (int i = 1; i < count; ++i) {
        try {
            wrong += run_job(words[i], entries);
        } catch (const char *what) {
            std::printf("FAILS   %s: %s\n", words[i], what);
            ++wrong;
        } catch (const std::exception &error) {
            std::printf("FAILS   %s: %s\n", words[i], error.what());
            ++wrong;
        }
    }
    return wrong != 0;
}
