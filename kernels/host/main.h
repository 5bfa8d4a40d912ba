// Runs the jobs named on the command line, as src/bin/export.rs wrote them, and compares.
#pragma once

#include <chrono>
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

// Adds the seconds of the launches to `seconds`.
static int run_job(const std::string &folder, std::map<std::string, host::Entry> &entries, double &seconds)
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
                    std::istringstream parts(word.substr(1));
                    std::string digits, pointer;
                    std::getline(parts, digits, '[');
                    for (size_t i = 0; i + 1 < digits.size(); i += 2)
                        argument.bytes.push_back(std::stoi(digits.substr(i, 2), nullptr, 16));
                    while (std::getline(parts, pointer, '[')) {
                        size_t colon = pointer.find(':'), plus = pointer.find('+');
                        uint8_t *address = buffers.at(std::stoul(pointer.substr(colon + 1))).data();
                        address += std::stoul(pointer.substr(plus + 1));
                        std::memcpy(argument.bytes.data() + std::stoul(pointer), &address, 8);
                    }
                }
            }
            if (!entries.count(name))
                throw "no such entry";
            host::Entry &entry = entries[name];
            std::function<void()> body = [&] { entry(arguments); };
            auto began = std::chrono::steady_clock::now();
            for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
                for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
                    for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
                        host::run_cta(body);
            seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
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
    return wrong;
}

int main(int count, char **words)
{
    std::map<std::string, host::Entry> entries = host_entries();
    int wrong = 0, times = 1, first = 1;
    if (count > 2 && std::string(words[1]) == "--time") {
        times = std::stoi(words[2]);
        first = 3;
    }
    for (int i = first; i < count; ++i) {
        try {
            double best = 1e9;
            int differ = 0;
            for (int time = 0; time < times && differ == 0; ++time) {
                double seconds = 0;
                differ = run_job(words[i], entries, seconds);
                best = std::min(best, seconds);
            }
            if (differ == 0 && first == 3)
                std::printf("time    %s %.9f\n", words[i], best);
            else if (differ == 0)
                std::printf("same    %s\n", words[i]);
            wrong += differ;
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
