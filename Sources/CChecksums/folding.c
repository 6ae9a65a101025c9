// Folding: a block of 128 bits is replaced by a product that has the same remainder and lies on the
// blocks 512 bits further on, four at a time; what remains, 128 bits, is left to the tables. After
// Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (2009).

#include "polynomial.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define FOLDING __attribute__((target("pclmul")))

typedef __m128i block;

FOLDING static inline block load(const uint8_t *bytes) {
  return _mm_loadu_si128((const __m128i *)bytes);
}

FOLDING static inline void store(uint8_t *bytes, block value) {
  _mm_storeu_si128((__m128i *)bytes, value);
}

FOLDING static inline block make(uint64_t first, uint64_t second) {
  return _mm_set_epi64x((long long)second, (long long)first);
}

FOLDING static inline block plus(block a, block b) { return _mm_xor_si128(a, b); }

FOLDING static inline block folded(block value, block factors) {
  return plus(
      _mm_clmulepi64_si128(value, factors, 0x00), _mm_clmulepi64_si128(value, factors, 0x11));
}

bool crc_is_accelerated(void) {
  // 0 unknown, 1 no, 2 yes. Threads may find out at the same time: the same.
  static int known;
  int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (!answer) {
    unsigned a, b, c, d;
    answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL) ? 2 : 1;
    __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
  }
  return answer == 2;
}

#elif defined(__aarch64__) && defined(__linux__) && defined(__LITTLE_ENDIAN__)

#include <arm_neon.h>
#include <sys/auxv.h>

#define FOLDING __attribute__((target("aes")))

typedef uint64x2_t block;

FOLDING static inline block load(const uint8_t *bytes) {
  return vreinterpretq_u64_u8(vld1q_u8(bytes));
}

FOLDING static inline void store(uint8_t *bytes, block value) {
  vst1q_u8(bytes, vreinterpretq_u8_u64(value));
}

FOLDING static inline block make(uint64_t first, uint64_t second) {
  return vcombine_u64(vcreate_u64(first), vcreate_u64(second));
}

FOLDING static inline block plus(block a, block b) { return veorq_u64(a, b); }

FOLDING static inline block folded(block value, block factors) {
  poly64x2_t a = vreinterpretq_p64_u64(value), b = vreinterpretq_p64_u64(factors);
  return plus(
      vreinterpretq_u64_p128(vmull_p64(vgetq_lane_p64(a, 0), vgetq_lane_p64(b, 0))),
      vreinterpretq_u64_p128(vmull_high_p64(a, b)));
}

bool crc_is_accelerated(void) {
  const unsigned long polynomial_multiplication = 1 << 4;  // HWCAP_PMULL
  return getauxval(AT_HWCAP) & polynomial_multiplication;
}

#endif

#ifdef FOLDING

FOLDING size_t crc_take_by_folding(
    const crc_polynomial *polynomial, uint64_t *crc_register, const uint8_t *bytes, size_t count) {
  const uint8_t *next = bytes + 64, *end = bytes + count;
  block far = make(polynomial->over_512_bits.first, polynomial->over_512_bits.second);
  block near = make(polynomial->over_128_bits.first, polynomial->over_128_bits.second);
  block a = plus(load(bytes), make(*crc_register, 0));
  block b = load(bytes + 16), c = load(bytes + 32), d = load(bytes + 48);
  for (; end - next >= 64; next += 64) {
    a = plus(folded(a, far), load(next));
    b = plus(folded(b, far), load(next + 16));
    c = plus(folded(c, far), load(next + 32));
    d = plus(folded(d, far), load(next + 48));
  }
  block sum = plus(folded(a, near), b);
  sum = plus(folded(sum, near), c);
  sum = plus(folded(sum, near), d);
  for (; end - next >= 16; next += 16) sum = plus(folded(sum, near), load(next));

  uint8_t rest[16];
  store(rest, sum);
  *crc_register = 0;
  crc_take_by_table(polynomial, crc_register, rest, sizeof rest);
  return (size_t)(next - bytes);
}

#else

bool crc_is_accelerated(void) { return false; }

size_t crc_take_by_folding(
    const crc_polynomial *polynomial, uint64_t *crc_register, const uint8_t *bytes, size_t count) {
  crc_take_by_table(polynomial, crc_register, bytes, count);
  return count;
}

#endif
