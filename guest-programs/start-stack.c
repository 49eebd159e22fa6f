// What the kernel hands to a new process: argc, argv, the environment, and the auxiliary vector, checked against the
// program itself. Prints the strings, and of the vector only what is the same on every machine.
// System calls: write, exit_group.

#include "lib/memory.h"
#include "lib/start.h"

#include <elf.h>
#include <linux/auxvec.h>

#define HWCAP_LETTER(letter) (1ul << ((letter) - 'A'))

extern const char __ehdr_start[];       // from the linker: where the ELF header is loaded
extern const char _start[];

static void check_headers(void) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)__ehdr_start;
    CHECK(auxv_value(AT_PHDR) == (unsigned long)__ehdr_start + header->e_phoff);
    CHECK(auxv_value(AT_PHENT) == sizeof(Elf64_Phdr));
    CHECK(auxv_value(AT_PHNUM) == header->e_phnum);
    CHECK(auxv_value(AT_ENTRY) == (unsigned long)_start);
    CHECK(auxv_value(AT_BASE) == 0);
}

static void check_machine(void) {
    unsigned long imafdc = HWCAP_LETTER('I') | HWCAP_LETTER('M') | HWCAP_LETTER('A') | HWCAP_LETTER('F') |
                           HWCAP_LETTER('D') | HWCAP_LETTER('C');
    CHECK((auxv_value(AT_HWCAP) & imafdc) == imafdc);
    CHECK(auxv_value(AT_PAGESZ) == PAGE_BYTES);
    CHECK(auxv_value(AT_CLKTCK) == 100);
    CHECK(auxv_value(AT_SECURE) == 0);
}

/** 16 bytes that seed the stack protector: present, and not all zero. */
static void check_random(void) {
    const unsigned char *bytes = (const unsigned char *)auxv_value(AT_RANDOM);
    unsigned any = 0;
    CHECK(bytes != NULL);
    for (int i = 0; i < 16; i++) any |= bytes[i];
    CHECK(any != 0);
}

int main(int argc, char **argv) {
    check_headers();
    check_machine();
    check_random();
    CHECK(strlen((const char *)auxv_value(AT_EXECFN)) > 0);
    CHECK(argv[argc] == NULL);
    CHECK(((unsigned long)(argv - 1) & 15) == 0);       // sp at entry, psABI: 16-byte aligned
    print("start-stack: argc %d, auxiliary vector as expected\n", argc);
    for (int i = 1; i < argc; i++) print("argument %s\n", argv[i]);
    for (char **variable = start_environment; *variable != NULL; variable++) {
        if (strncmp(*variable, "GUEST_", 6) == 0) print("environment %s\n", *variable);
    }
    return 0;
}
