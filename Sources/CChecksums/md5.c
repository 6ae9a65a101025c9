// MD5 (RFC 1321) of four messages side by side. Each step needs the result of the one before, so that
// one message leaves most of a processor idle; four take little longer than one.

#include <string.h>

#include "CChecksums.h"

typedef uint32_t words __attribute__((vector_size(4 * md5_lanes)));

/// The integer part of 2^32 * |sin(i + 1)|.
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const unsigned char shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static inline uint32_t little_endian(uint32_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return __builtin_bswap32(word);
#else
  return word;
#endif
}

static inline words mixed(int round, words b, words c, words d) {
  switch (round) {
  case 0: return d ^ (b & (c ^ d));
  case 1: return c ^ (d & (b ^ c));
  case 2: return b ^ c ^ d;
  default: return c ^ (b | ~d);
  }
}

/// Which word of the block a step takes.
static inline int word_of_step(int step) {
  switch (step / 16) {
  case 0: return step;
  case 1: return (5 * step + 1) % 16;
  case 2: return (3 * step + 5) % 16;
  default: return (7 * step) % 16;
  }
}

static void take_block(words state[4], const uint8_t *bytes, size_t stride) {
  words block[16];
#pragma clang loop unroll(full)
  for (int lane = 0; lane < md5_lanes; lane++) {
    uint32_t values[16];
    memcpy(values, bytes + lane * stride, sizeof values);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) block[i][lane] = little_endian(values[i]);
  }
  words a = state[0], b = state[1], c = state[2], d = state[3];
#pragma clang loop unroll(full)
  for (int step = 0; step < 64; step++) {
    unsigned shift = shifts[step / 16][step % 4];
    words sum = a + mixed(step / 16, b, c, d) + sines[step] + block[word_of_step(step)];
    a = d;
    d = c;
    c = b;
    b += sum << shift | sum >> (32 - shift);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

static void take(md5_messages *messages, const uint8_t *bytes, size_t stride, size_t count) {
  words state[4];
  memcpy(state, messages->state, sizeof state);
  for (size_t offset = 0; offset < count; offset += 64) take_block(state, bytes + offset, stride);
  memcpy(messages->state, state, sizeof state);
}

void md5_begin(md5_messages *messages) {
  static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (int i = 0; i < 4; i++)
    for (int lane = 0; lane < md5_lanes; lane++) messages->state[i][lane] = start[i];
  messages->count = 0;
}

void md5_update(md5_messages *messages, const void *bytes, size_t stride, size_t count) {
  take(messages, bytes, stride, count);
  messages->count += count;
}

void md5_finish(
    md5_messages *messages, const void *bytes, size_t stride, size_t count, uint8_t *digests) {
  size_t whole = count / 64 * 64, rest = count - whole;
  md5_update(messages, bytes, stride, whole);

  // The rest, a bit, zeros, and the number of bits.
  uint8_t ends[md5_lanes][128] = {{0}};
  size_t end_count = rest < 56 ? 64 : 128;
  uint64_t bits = (messages->count + rest) * 8;
  for (int lane = 0; lane < md5_lanes; lane++) {
    if (rest) memcpy(ends[lane], (const uint8_t *)bytes + lane * stride + whole, rest);
    ends[lane][rest] = 0x80;
    for (int i = 0; i < 8; i++) ends[lane][end_count - 8 + i] = (uint8_t)(bits >> 8 * i);
  }
  take(messages, ends[0], sizeof ends[0], end_count);

  for (int lane = 0; lane < md5_lanes; lane++)
    for (int i = 0; i < 4; i++) {
      uint32_t word = little_endian(messages->state[i][lane]);
      memcpy(digests + 16 * lane + 4 * i, &word, sizeof word);
    }
}
