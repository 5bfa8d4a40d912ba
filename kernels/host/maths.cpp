// Measures include/assay_math.cuh against functions of twice the digits; maths.py compiles and calls it.
//
//     maths floats STRIDE [NAME …]    every STRIDEth float, against double precision
//     maths doubles COUNT [NAME …]    COUNT arguments, or pairs of them, against quadruple precision
//     maths samples                   arguments and rounded results, and a hash over many results, for the tests

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>
#include <quadmath.h>

using Quad = __float128;

// The references, before the names change their meaning.
namespace reference {

template <typename F> Quad solve(F residual_over_slope, double start)
{
    Quad x = start;
    for (int i = 0; i < 4; ++i)
        x -= residual_over_slope(x);
    return x;
}
inline Quad slope(Quad x) { return 2 / sqrtq(M_PIq) * expq(-x * x); }
inline Quad erfcx(Quad x)
{
    if (x < 60)
        return expq(x * x) * erfcq(x);
    Quad sum = 1, term = 1;
    for (int k = 1; k < 20; ++k)
        sum += term *= -(2 * k - 1) / (2 * x * x);
    return sum / (x * sqrtq(M_PIq));
}
double rough_erfcinv(double q);
inline Quad erfcinv(Quad q)
{
    if (!(q > 0 && q < 2))
        return q == 0 ? HUGE_VALQ : q == 2 ? -HUGE_VALQ : nanq("");
    if (q == 1)
        return 0;
    return solve([q](Quad x) { return -(erfcq(x) - q) / slope(x); }, rough_erfcinv((double)q));
}
inline Quad erfinv(Quad a)
{
    if (!(fabsq(a) < 1))
        return fabsq(a) == 1 ? a * HUGE_VALQ : nanq("");
    if (fabsq(a) < 1e-15Q)
        return a * sqrtq(M_PIq) / 2;
    double start = fabsq(a) > 0.5Q ? rough_erfcinv((double)(1 - fabsq(a))) : (double)fabsq(a);
    Quad x = solve([a](Quad x) { return fabsq(a) > 0.5Q ? -(erfcq(x) - (1 - fabsq(a))) / slope(x) : (erfq(x) - fabsq(a)) / slope(x); }, start);
    return a < 0 ? -x : x;
}
inline Quad normcdfinv(Quad p) { return p == 0.5Q ? Quad(0) : -sqrtq(2) * erfcinv(2 * p); }
// log(erfc) is near enough to a parabola for Newton's method.
inline double rough_erfcinv(double q)
{
    if (q > 1)
        return -rough_erfcinv(2 - q);
    double x = q > 0.3 ? 0.3 : std::sqrt(-std::log(q) * 0.9);
    for (int i = 0; i < 60; ++i) {
        Quad e = erfcq(x);
        double step = (double)((logq(e) - logq(q)) * e / slope(x));
        x += step;
        if (std::fabs(step) < 1e-9 * x)
            break;
    }
    return x;
}

using One = Quad (*)(Quad);
using Two = Quad (*)(Quad, Quad);
using Fast = double (*)(double);

const std::map<std::string, One> one = {
    {"exp", expq}, {"exp2", exp2q}, {"exp10", [](Quad x) { return powq(10, x); }}, {"expm1", expm1q}, {"log", logq},
    {"log2", log2q}, {"log10", log10q}, {"log1p", log1pq}, {"sinh", sinhq}, {"cosh", coshq}, {"tanh", tanhq},
    {"asinh", asinhq}, {"acosh", acoshq}, {"atanh", atanhq}, {"tan", tanq}, {"asin", asinq}, {"acos", acosq},
    {"atan", atanq}, {"rsqrt", [](Quad x) { return 1 / sqrtq(x); }}, {"__frsqrt_rn", [](Quad x) { return 1 / sqrtq(x); }},
    {"cbrt", cbrtq}, {"rcbrt", [](Quad x) { return 1 / cbrtq(x); }}, {"erf", erfq}, {"erfc", erfcq},
    {"erfcx", [](Quad x) { return erfcx(x); }}, {"erfinv", [](Quad x) { return erfinv(x); }},
    {"erfcinv", [](Quad x) { return erfcinv(x); }},
    {"normcdf", [](Quad x) { return erfcq(-x * M_SQRT1_2q) / 2; }}, {"normcdfinv", [](Quad x) { return normcdfinv(x); }},
    {"lgamma", lgammaq}, {"tgamma", tgammaq},
};
const std::map<std::string, Two> two = {
    {"pow", [](Quad x, Quad y) { return x == 1 || y == 0 ? Quad(1) : powq(x, y); }}, {"fmod", fmodq}, {"remainder", remainderq},
    {"hypot", hypotq}, {"rhypot", [](Quad x, Quad y) { return 1 / hypotq(x, y); }},
    {"__fdividef", [](Quad x, Quad y) { return x / y; }},
};
const std::map<std::string, Fast> fast = {
    {"exp", exp}, {"exp2", exp2}, {"exp10", [](double x) { return exp10(x); }}, {"expm1", expm1}, {"log", log},
    {"sinh", sinh}, {"cosh", cosh}, {"tanh", tanh}, {"asinh", asinh}, {"acosh", acosh}, {"atanh", atanh}, {"tan", tan},
    {"asin", asin}, {"acos", acos}, {"atan", atan}, {"rsqrt", [](double x) { return 1 / sqrt(x); }},
    {"__frsqrt_rn", [](double x) { return 1 / sqrt(x); }}, {"cbrt", cbrt}, {"rcbrt", [](double x) { return 1 / cbrt(x); }},
    {"erf", erf}, {"erfc", erfc}, {"lgamma", lgamma}, {"tgamma", tgamma},
};

} // namespace reference

#define ASSAY_MATH_NAMES
#include "../include/assay_math.cuh"
#include "../cuda/functions.cuh"

// Those that no library has in double: our own, which `doubles` measures.
static const std::map<std::string, reference::Fast> own = {
    {"erfcx", [](double x) { return erfcx(x); }}, {"erfinv", [](double x) { return erfinv(x); }},
    {"erfcinv", [](double x) { return erfcinv(x); }}, {"normcdf", [](double x) { return normcdf(x); }},
    {"normcdfinv", [](double x) { return normcdfinv(x); }},
};

struct Function {
    std::string name;
    int bytes;     // of an argument
    int arguments;
    void (*call)(const void *in, void *out);

    // The name of its reference.
    std::string plain() const { return bytes == 4 && name[0] != '_' ? name.substr(0, name.size() - 1) : name; }
};

// # and ## take the name as it is written, not what it stands for.
#define ONE(text, name, type) \
    {text, sizeof(type), 1, [](const void *in, void *out) { *(type *)out = name(((const type *)in)[0]); }},
#define TWO(text, name, type) \
    {text, sizeof(type), 2, \
     [](const void *in, void *out) { *(type *)out = name(((const type *)in)[0], ((const type *)in)[1]); }},
#define FLOAT(name) ONE(#name, name, float)
#define DOUBLE(name) ONE(#name, name, double)
#define FLOATS(name) TWO(#name, name, float)
#define DOUBLES(name) TWO(#name, name, double)
static const std::vector<Function> functions = {
    FOR_FLOAT(FLOAT) FOR_DOUBLE(DOUBLE) FOR_FLOATS(FLOATS) FOR_DOUBLES(DOUBLES)};

template <typename T> int exponent_of_ulp(Quad exact)
{
    int e;
    frexpq(exact, &e);
    int lowest = sizeof(T) == 4 ? -149 : -1074;
    return std::max(e - (sizeof(T) == 4 ? 24 : 53), lowest);
}

// Whether a result that has no units in the last place is what C says; `near` is set where it has.
template <typename T> bool special_is_right(T got, T rounded, bool exact_is_zero, bool *near)
{
    *near = false;
    if (rounded != rounded || got != got)
        return (rounded != rounded) == (got != got);
    if (std::isinf(rounded) || std::isinf(got))
        return got == rounded;
    if (exact_is_zero)
        return got == 0 && std::signbit(got) == std::signbit(rounded);
    *near = true;
    return true;
}

struct Worst {
    double ulp = 0, at = 0, second = 0;
    uint64_t count = 0, wrong = 0;
    double wrong_at = 0, wrong_second = 0;

    void join(const Worst &other)
    {
        uint64_t all = count + other.count, bad = wrong + other.wrong;
        if (other.wrong)
            wrong_at = other.wrong_at, wrong_second = other.wrong_second;
        if (other.ulp > ulp)
            ulp = other.ulp, at = other.at, second = other.second;
        count = all, wrong = bad;
    }
};

static void print(const Function &function, const Worst &worst)
{
    std::printf("%s %.3f %.9g %.9g %llu %llu", function.name.c_str(), worst.ulp, worst.at, worst.second,
                (unsigned long long)worst.count, (unsigned long long)worst.wrong);
    if (worst.wrong)
        std::printf(" wrong-at %a %a", worst.wrong_at, worst.wrong_second);
    std::printf("\n");
    std::fflush(stdout);
}

static Worst floats(const Function &function, reference::Fast exact, uint64_t first, uint64_t stride)
{
    Worst worst;
    for (uint64_t i = first; i < 1ull << 32; i += stride) {
        uint32_t word = (uint32_t)i;
        float x, got;
        std::memcpy(&x, &word, 4);
        function.call(&x, &got);
        double truth = exact(x);
        float rounded = (float)truth;
        bool near;
        ++worst.count;
        // Most are rounded correctly: half a unit at most.
        if (std::memcmp(&got, &rounded, 4) == 0) {
            worst.ulp = std::max(worst.ulp, 0.5);
            continue;
        }
        if (!special_is_right(got, rounded, truth == 0, &near)) {
            // One unit beyond the greatest float is infinite.
            if (!(std::fabs(got) > 3.4028234e38f && std::fabs(truth) < 3.4028236e38))
                ++worst.wrong, worst.wrong_at = x;
        } else if (near) {
            int e;
            std::frexp(truth, &e);
            double ulp = std::fabs((double)got - truth) * std::ldexp(1.0, -std::max(e - 24, -149));
            if (ulp > worst.ulp)
                worst.ulp = ulp, worst.at = x;
        }
    }
    return worst;
}

static uint64_t split_mix(uint64_t &state)
{
    uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static const double SPECIAL[] = {0.0,    -0.0, 1.0,  -1.0,    0.5,    -0.5,   2.0,   -2.0,  3.0,      -3.0,    10.0,
                                 -10.0,  100.0, -100.0, 1e30, -1e30, 1e-30, -1e-30, 1e-40, INFINITY, -INFINITY, NAN};

// The argument of a number: special ones first, then bits at random, numbers around 1 and numbers up to 16 in turn.
template <typename T> T argument(uint64_t index, uint64_t &state, int arguments)
{
    uint64_t word = split_mix(state);
    size_t specials = sizeof SPECIAL / sizeof *SPECIAL;
    if (arguments == 1 && index < specials)
        return (T)SPECIAL[index];
    if (arguments == 2 && index < 2 * specials * specials)
        return (T)SPECIAL[index % 2 ? index / 2 / specials : index / 2 % specials];
    double uniform = (double)(word >> 11) * 0x1p-53;
    T x;
    uint32_t half = (uint32_t)word;
    switch (index / (uint64_t)arguments % 4) {
    case 0:
        if (sizeof(T) == 4)
            std::memcpy(&x, &half, 4);
        else
            std::memcpy(&x, &word, 8);
        return x;
    case 1:
        return (T)(uniform * 2);
    case 2:
        return (T)(uniform * 32 - 16);
    default:
        return (T)std::ldexp(uniform + 0.5, (int)(word & 31) - 16) * (word & 32 ? (T)-1 : (T)1);
    }
}

template <typename T> Quad truth_of(const Function &function, const T *in)
{
    return function.arguments == 1 ? reference::one.at(function.plain())(in[0])
                                   : reference::two.at(function.plain())(in[0], in[1]);
}

template <typename T> Worst doubles(const Function &function, uint64_t count)
{
    Worst worst;
    uint64_t state = 7;
    for (uint64_t i = 0; i < count; ++i) {
        T in[2] = {}, got;
        for (int k = 0; k < function.arguments; ++k)
            in[k] = argument<T>(i * function.arguments + k, state, function.arguments);
        function.call(in, &got);
        Quad truth = truth_of(function, in);
        T rounded = (T)truth;
        bool near;
        ++worst.count;
        if (!special_is_right(got, rounded, truth == 0, &near)) {
            T top = sizeof(T) == 4 ? (T)3.4028234e38f : (T)1.7976931348623155e308;
            if (!(std::fabs(got) > top && fabsq(truth) < 1.00001Q * top))
                ++worst.wrong, worst.wrong_at = in[0], worst.wrong_second = in[1];
        } else if (near && !(function.plain() == "lgamma" && in[0] < 0)) {
            double ulp = (double)(fabsq((Quad)got - truth) / ldexpq(1, exponent_of_ulp<T>(truth)));
            if (ulp > worst.ulp)
                worst.ulp = ulp, worst.at = in[0], worst.second = in[1];
        }
    }
    return worst;
}

template <typename T> void samples(const Function &function)
{
    using Word = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    auto word = [](T x) {
        Word out;
        std::memcpy(&out, &x, sizeof x);
        return x != x ? (sizeof(T) == 4 ? (Word)0x7fc00000u : (Word)0x7ff8000000000000ull) : out;
    };
    uint64_t state = 1, hash = 0xcbf29ce484222325ull;
    for (uint64_t i = 0; i < 2048; ++i) {
        T in[2] = {}, got;
        for (int k = 0; k < function.arguments; ++k)
            in[k] = argument<T>(i * function.arguments + k, state, function.arguments);
        function.call(in, &got);
        Word bits = word(got);
        for (size_t byte = 0; byte < sizeof bits; ++byte)
            hash = (hash ^ (uint8_t)(bits >> 8 * byte)) * 0x100000001b3ull;
        bool shown = function.arguments == 1 ? i < 48 : i % 13 == 0 && i < 520;
        if (shown) {
            std::printf("%s", function.name.c_str());
            for (int k = 0; k < function.arguments; ++k)
                std::printf(" %0*llx", (int)sizeof(T) * 2, (unsigned long long)word(in[k]));
            std::printf(" %0*llx\n", (int)sizeof(T) * 2, (unsigned long long)word((T)truth_of(function, in)));
        }
    }
    // Of large arguments, tan is a quotient of the toolkit's sine and cosine.
    if (function.name != "tan")
        std::printf("%s hash %016llx\n", function.name.c_str(), (unsigned long long)hash);
}

int main(int count, char **words)
{
    std::string mode = count > 1 ? words[1] : "";
    for (const Function &function : functions) {
        bool wanted = count <= 3 || mode == "samples";
        for (int i = 3; i < count; ++i)
            wanted = wanted || function.name == words[i];
        if (!wanted)
            continue;
        if (mode == "samples") {
            function.bytes == 4 ? samples<float>(function) : samples<double>(function);
        } else if (mode == "floats" && function.bytes == 4 && function.arguments == 1) {
            auto known = reference::fast.find(function.plain());
            reference::Fast exact = known != reference::fast.end() ? known->second : own.at(function.plain());
            uint64_t stride = std::strtoull(words[2], nullptr, 10);
            Worst one, two;
            std::thread other([&] { two = floats(function, exact, stride, 2 * stride); });
            one = floats(function, exact, 0, 2 * stride);
            other.join();
            one.join(two);
            print(function, one);
        } else if (mode == "doubles" && (function.bytes == 8 || function.arguments == 2)) {
            uint64_t number = std::strtoull(words[2], nullptr, 10);
            print(function, function.bytes == 4 ? doubles<float>(function, number) : doubles<double>(function, number));
        }
    }
    return 0;
}
