// The functions that include/assay_math.cuh gives, by their arguments. FLOAT and DOUBLE take one number, FLOATS and
// DOUBLES two.

#define FOR_FLOAT(FLOAT) \
    FLOAT(expf) FLOAT(exp2f) FLOAT(exp10f) FLOAT(expm1f) FLOAT(logf) FLOAT(sinhf) FLOAT(coshf) FLOAT(tanhf) \
    FLOAT(asinhf) FLOAT(acoshf) FLOAT(atanhf) FLOAT(tanf) FLOAT(asinf) FLOAT(acosf) FLOAT(atanf) FLOAT(rsqrtf) \
    FLOAT(cbrtf) FLOAT(rcbrtf) FLOAT(erff) FLOAT(erfcf) FLOAT(erfcxf) FLOAT(erfinvf) FLOAT(erfcinvf) \
    FLOAT(normcdff) FLOAT(normcdfinvf) FLOAT(lgammaf) FLOAT(tgammaf) FLOAT(__frsqrt_rn)

#define FOR_DOUBLE(DOUBLE) \
    DOUBLE(exp) DOUBLE(exp2) DOUBLE(exp10) DOUBLE(expm1) DOUBLE(log) DOUBLE(log2) DOUBLE(log10) DOUBLE(log1p) \
    DOUBLE(sinh) DOUBLE(cosh) DOUBLE(tanh) DOUBLE(asinh) DOUBLE(acosh) DOUBLE(atanh) DOUBLE(tan) DOUBLE(asin) \
    DOUBLE(acos) DOUBLE(atan) DOUBLE(rsqrt) DOUBLE(cbrt) DOUBLE(rcbrt) DOUBLE(erf) DOUBLE(erfc) DOUBLE(erfcx) \
    DOUBLE(erfinv) DOUBLE(erfcinv) DOUBLE(normcdf) DOUBLE(normcdfinv) DOUBLE(lgamma) DOUBLE(tgamma)

#define FOR_FLOATS(FLOATS) FLOATS(powf) FLOATS(fmodf) FLOATS(remainderf) FLOATS(rhypotf) FLOATS(__fdividef)

#define FOR_DOUBLES(DOUBLES) DOUBLES(pow) DOUBLES(hypot) DOUBLES(rhypot)
