#include "kernels.h"

#define BYTES (512 * 1024u)
#define POLYNOMIAL 0xedb88320u      // IEEE 802.3, reflected

static uint32_t table[256];
static uint8_t input[BYTES];

static void build_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++) remainder = remainder >> 1 ^ (remainder & 1 ? POLYNOMIAL : 0);
        table[byte] = remainder;
    }
}

uint64_t crc32(uint32_t repeats) {
    uint32_t random = 1;
    uint32_t crc = 0;
    build_table();
    for (uint32_t i = 0; i < BYTES; i++) input[i] = (uint8_t)random_next(&random);
    while (repeats-- > 0) {
        crc = ~crc;
        for (uint32_t i = 0; i < BYTES; i++) crc = crc >> 8 ^ table[(crc ^ input[i]) & 0xff];
        crc = ~crc;
        forget_memory();
    }
    return crc;
}
