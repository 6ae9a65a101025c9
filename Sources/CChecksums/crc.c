#include <stdlib.h>
#include <string.h>

#include "polynomial.h"

// Polynomials over GF(2) modulo the CRC's, the coefficient of x^0 in bit width - 1.

static uint64_t multiply(const crc_polynomial *polynomial, uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (uint64_t bit = 1ull << (polynomial->width - 1); bit; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ (b & 1 ? polynomial->reversed : 0);
  }
  return product;
}

static uint64_t power_of_x(const crc_polynomial *polynomial, uint64_t exponent) {
  uint64_t power = 1ull << (polynomial->width - 1);
  uint64_t square = power >> 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) power = multiply(polynomial, power, square);
    square = multiply(polynomial, square, square);
  }
  return power;
}

/// The product of carry-less multiplication of reversed factors comes out one bit short, which is
/// why the powers are one less than the distance.
static crc_fold make_fold(const crc_polynomial *polynomial, uint64_t bits) {
  int unused = 64 - polynomial->width;
  return (crc_fold){
      .first = power_of_x(polynomial, bits + 64 - 1) << unused,
      .second = power_of_x(polynomial, bits - 1) << unused,
  };
}

crc_polynomial *crc_polynomial_create(uint64_t reversed, int width) {
  crc_polynomial *polynomial = malloc(sizeof *polynomial);
  if (!polynomial) return NULL;
  polynomial->reversed = reversed;
  polynomial->width = width;
  polynomial->mask = ~0ull >> (64 - width);
  for (unsigned byte = 0; byte < 256; byte++) {
    uint64_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? reversed : 0);
    polynomial->table[0][byte] = value;
  }
  for (int behind = 1; behind < 8; behind++) {
    for (unsigned byte = 0; byte < 256; byte++) {
      uint64_t value = polynomial->table[behind - 1][byte];
      polynomial->table[behind][byte] = (value >> 8) ^ polynomial->table[0][value & 0xff];
    }
  }
  polynomial->over_128_bits = make_fold(polynomial, 128);
  polynomial->over_512_bits = make_fold(polynomial, 512);
  return polynomial;
}

void crc_polynomial_destroy(crc_polynomial *polynomial) { free(polynomial); }

void crc_take_by_table(
    const crc_polynomial *polynomial, uint64_t *crc_register, const uint8_t *bytes, size_t count) {
  uint64_t crc = *crc_register;
  const uint64_t(*table)[256] = polynomial->table;
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    crc ^= word;
    crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^ table[5][crc >> 16 & 0xff] ^
          table[4][crc >> 24 & 0xff] ^ table[3][crc >> 32 & 0xff] ^ table[2][crc >> 40 & 0xff] ^
          table[1][crc >> 48 & 0xff] ^ table[0][crc >> 56];
  }
  for (; count; count--, bytes++) crc = (crc >> 8) ^ table[0][(crc ^ *bytes) & 0xff];
  *crc_register = crc;
}

uint64_t crc_update_by_table(
    const crc_polynomial *polynomial, uint64_t crc, const void *bytes, size_t count) {
  uint64_t crc_register = crc ^ polynomial->mask;
  crc_take_by_table(polynomial, &crc_register, bytes, count);
  return crc_register ^ polynomial->mask;
}

uint64_t crc_update(
    const crc_polynomial *polynomial, uint64_t crc, const void *bytes, size_t count) {
  uint64_t crc_register = crc ^ polynomial->mask;
  size_t taken = 0;
  if (count >= crc_fold_minimum && crc_is_accelerated())
    taken = crc_take_by_folding(polynomial, &crc_register, bytes, count);
  crc_take_by_table(polynomial, &crc_register, (const uint8_t *)bytes + taken, count - taken);
  return crc_register ^ polynomial->mask;
}

uint64_t crc_combine(
    const crc_polynomial *polynomial, uint64_t first, uint64_t second, uint64_t second_count) {
  // Eight times the count may have more than 64 bits; x^8 to the count is the same.
  uint64_t shifted = first;
  uint64_t square = 1ull << (polynomial->width - 1 - 8);
  for (; second_count; second_count >>= 1) {
    if (second_count & 1) shifted = multiply(polynomial, square, shifted);
    square = multiply(polynomial, square, square);
  }
  return shifted ^ second;
}
