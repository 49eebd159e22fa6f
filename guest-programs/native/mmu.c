// The yardstick of the core's MMU: the algorithms of assembly/mmu in C, on an array in place of the shared memory.
//
//   mmu OPERATION COUNT TLB_ENTRIES
//
// OPERATION is load-hit, store-hit, walk, miss, flush-one, flush-asid, flush-all, refcount or inc-not-zero: the loops
// of assembly/bench.ts, which says what each does. A tenth of COUNT is warm-up; then it prints elapsed_ns=N, and a
// checksum so that nothing can be left out. Names and constants are those of assembly/layout.ts.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PAGE_BYTES = 4096,
    PAGE_SHIFT = 12,
    VPN_BITS = 9,
    PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128,
    PTE_PPN_SHIFT = 10,
    ACCESS_LOAD = 0,
    ACCESS_STORE = 1,
    TLB_ENTRY_BYTES = 32,
    TLB_ENTRY_SHIFT = 5,
    TLB_READ = 0, TLB_WRITE = 8, TLB_EXECUTE = 16, TLB_ADDEND = 24, TLB_META = 28,
    META_LEVEL_SHIFT = 16,
    TAG_ASID_SHIFT = 3,
    TAG_ASID_MASK = 255,
    ASID_ANY = 65535,
    COUNTER_TLB_MISS = 0, COUNTER_PTW = 8, COUNTER_PTW_STEPS = 16, COUNTER_FLUSH_ALL = 32, COUNTER_FLUSH_ONE = 40,
    PAGES = 4096,                       // mapped, from FIRST_VA on
    HIT_PAGES = 32,
    ROOT_PFN = 64,                      // tables, then the frames
    RAM_PFN_BASE = ROOT_PFN,
    FRAME_PFN = ROOT_PFN + 2 + PAGES / 512,
    RAM_FRAMES = FRAME_PFN + PAGES - RAM_PFN_BASE,
    COUNTERS = 1024,
    DECODED = 2048,                     // the frame numbers that a decode cache would claim: none
    REFCOUNT = 3072,
    TLB_BASE = 65536,
    ASID = 1,
    OTHER_ASID = 2,
};

#define FIRST_VA 0x40000000ull
#define TAG_INVALID (~0ull)
#define HIT_MASK (~(uint64_t)(PAGE_BYTES - 1) | 7)      // the page, and no low bit that misaligns 8 bytes
#define PTE_RESERVED 0xffc0000000000000ull

static uint8_t memory[(size_t)(RAM_PFN_BASE + RAM_FRAMES) * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static uint32_t tlb_index_mask;
static uint64_t asid_tag;
static uint32_t satp_root, leaf_user, superpage_fragments, mmu_options;
static uint64_t ram_frames;
static uint32_t walk_leaf, walk_level;

typedef uint32_t u32_alias __attribute__((may_alias));
typedef uint64_t u64_alias __attribute__((may_alias));

static uint32_t load32(uint32_t address) { return *(u32_alias *)(memory + address); }
static uint64_t load64(uint32_t address) { return *(u64_alias *)(memory + address); }
static void store32(uint32_t address, uint32_t value) { *(u32_alias *)(memory + address) = value; }
static void store64(uint32_t address, uint64_t value) { *(u64_alias *)(memory + address) = value; }

static void count(uint32_t counter, uint64_t amount) {
    store64(COUNTERS + counter, load64(COUNTERS + counter) + amount);
}

// ---- tlb.ts

static uint32_t tlb_entry(uint64_t va) {
    return TLB_BASE + ((uint32_t)va >> (PAGE_SHIFT - TLB_ENTRY_SHIFT) & tlb_index_mask);
}

static uint64_t page_tag(uint64_t va) { return (va & ~(uint64_t)(PAGE_BYTES - 1)) | asid_tag; }
static uint32_t entry_level(uint32_t entry) { return load32(entry + TLB_META) >> META_LEVEL_SHIFT; }
static uint32_t through(uint32_t entry, uint64_t va) { return load32(entry + TLB_ADDEND) + (uint32_t)va; }

static uint64_t entry_tag(uint32_t entry) {
    uint64_t tag = load64(entry + TLB_READ);
    return tag == TAG_INVALID ? load64(entry + TLB_EXECUTE) : tag;
}

static int is_decoded_frame(uint32_t pfn) { return load32(DECODED + (pfn & 255) * 4) == pfn; }

static void fill_tlb(uint64_t va, uint32_t frame, uint32_t leaf, uint32_t level) {
    uint32_t entry = tlb_entry(va);
    uint64_t tag = page_tag(va);
    if (entry_level(entry) - 1 < 2) superpage_fragments--;
    if (level != 0) superpage_fragments++;
    int writable = (leaf & (PTE_W | PTE_D)) == (PTE_W | PTE_D) && !is_decoded_frame(frame >> PAGE_SHIFT);
    store64(entry + TLB_READ, leaf & PTE_R ? tag : TAG_INVALID);
    store64(entry + TLB_WRITE, writable ? tag : TAG_INVALID);
    store64(entry + TLB_EXECUTE, leaf & PTE_X ? tag : TAG_INVALID);
    store32(entry + TLB_ADDEND, frame - ((uint32_t)va & ~(uint32_t)(PAGE_BYTES - 1)));
    store32(entry + TLB_META, (leaf & 0xff) | level << META_LEVEL_SHIFT);
}

static void drop_entry(uint32_t entry) {
    if (entry_level(entry) - 1 < 2) superpage_fragments--;
    store64(entry + TLB_READ, TAG_INVALID);
    store64(entry + TLB_WRITE, TAG_INVALID);
    store64(entry + TLB_EXECUTE, TAG_INVALID);
    store32(entry + TLB_META, ~0u);
}

// ---- walk.ts, without the page-walk cache

static int is_ram(uint64_t pfn) { return pfn - RAM_PFN_BASE < ram_frames; }

static uint32_t pte_address(uint64_t pfn, uint64_t va, unsigned level) {
    uint32_t index = (uint32_t)(va >> (PAGE_SHIFT + VPN_BITS * level)) & 511;
    return ((uint32_t)pfn << PAGE_SHIFT) + (index << 3);
}

static int is_pointer(uint64_t pte) {
    return (pte & (PTE_RESERVED | PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)) == PTE_V;
}

static int leaf_allows(uint64_t pte, uint64_t below, uint32_t access) {
    uint32_t low = (uint32_t)pte, permission = (uint32_t)PTE_R << access;
    if ((low & (PTE_V | PTE_U | permission)) != (PTE_V | leaf_user | permission)) return 0;
    if ((low & (PTE_R | PTE_W)) == PTE_W) return 0;
    return (pte & (PTE_RESERVED | below << PTE_PPN_SHIFT)) == 0;
}

static uint32_t end_at_leaf(uint32_t address, uint64_t pte, uint32_t level, uint32_t global, uint64_t va,
                            uint32_t access) {
    uint32_t low = (uint32_t)pte, wanted = access == ACCESS_STORE ? PTE_A | PTE_D : PTE_A;
    uint64_t below = (1ull << VPN_BITS * level) - 1;
    if (!leaf_allows(pte, below, access)) return 0;
    if ((low & wanted) != wanted) {
        if (mmu_options & 4) return 0;
        uint32_t expected = low;
        if (!__atomic_compare_exchange_n((u32_alias *)(memory + address), &expected, low | wanted, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST))
            return 1;
    }
    uint64_t pfn = pte >> PTE_PPN_SHIFT | (va >> PAGE_SHIFT & below);
    if (!is_ram(pfn)) return 0;
    walk_leaf = low | wanted | global;
    walk_level = level;
    return (uint32_t)pfn << PAGE_SHIFT;
}

static uint32_t walk(uint64_t va, uint32_t access) {
    count(COUNTER_PTW, 1);
    if (satp_root == 0) return 0;
    if ((uint64_t)((int64_t)(va << 25) >> 25) != va) return 0;
    uint64_t pfn = satp_root, pte = 0;
    uint32_t global = 0, address = 0, level = 2;
    for (;; level--) {
        if (!is_ram(pfn)) return 0;
        address = pte_address(pfn, va, level);
        pte = load64(address);
        if (level == 0 || !is_pointer(pte)) break;
        pfn = pte >> PTE_PPN_SHIFT;
        global |= (uint32_t)pte & PTE_G;
    }
    count(COUNTER_PTW_STEPS, 3 - level);
    return end_at_leaf(address, pte, level, global, va, access);
}

// ---- memory.ts

static uint32_t translate_miss(uint64_t va, uint32_t access) {
    count(COUNTER_TLB_MISS, 1);
    uint32_t frame;
    do frame = walk(va, access);
    while (frame == 1);
    if (frame == 0) return 0;
    fill_tlb(va, frame, walk_leaf, walk_level);
    return frame + ((uint32_t)va & (PAGE_BYTES - 1));
}

static uint32_t load_address(uint64_t va) {
    uint32_t entry = tlb_entry(va);
    if (((va & HIT_MASK) | asid_tag) == load64(entry + TLB_READ)) return through(entry, va);
    return translate_miss(va, ACCESS_LOAD);
}

// ---- fence.ts

static int concerns(uint32_t entry, uint32_t asid) {
    if (asid == ASID_ANY) return 1;
    uint32_t tag_asid = (uint32_t)entry_tag(entry) >> TAG_ASID_SHIFT & TAG_ASID_MASK;
    return tag_asid == asid && (load32(entry + TLB_META) & PTE_G) == 0;
}

static int overlaps(uint32_t entry, uint64_t start, uint64_t bytes) {
    uint32_t level = entry_level(entry);
    if (level >= 3) return 0;
    uint64_t leaf_bytes = (uint64_t)PAGE_BYTES << VPN_BITS * level;
    uint64_t leaf = entry_tag(entry) & ~(leaf_bytes - 1);
    return leaf - start < bytes || start - leaf < leaf_bytes;
}

static void drop_range(uint64_t start, uint32_t pages, uint32_t asid) {
    uint64_t bytes = (uint64_t)pages << PAGE_SHIFT;
    if (superpage_fragments == 0 && pages <= tlb_index_mask >> TLB_ENTRY_SHIFT) {
        for (uint64_t va = start; va - start < bytes; va += PAGE_BYTES) {
            uint32_t entry = tlb_entry(va);
            if (overlaps(entry, start, bytes) && concerns(entry, asid)) drop_entry(entry);
        }
        return;
    }
    uint32_t end = TLB_BASE + tlb_index_mask + TLB_ENTRY_BYTES;
    for (uint32_t entry = TLB_BASE; entry < end; entry += TLB_ENTRY_BYTES)
        if (overlaps(entry, start, bytes) && concerns(entry, asid)) drop_entry(entry);
}

static void flush_page(uint64_t va, uint32_t asid) {
    count(COUNTER_FLUSH_ONE, 1);
    drop_range(va & ~(uint64_t)(PAGE_BYTES - 1), 1, asid);
}

static void flush_asid(uint32_t asid) {
    count(COUNTER_FLUSH_ALL, 1);
    uint32_t end = TLB_BASE + tlb_index_mask + TLB_ENTRY_BYTES;
    for (uint32_t entry = TLB_BASE; entry < end; entry += TLB_ENTRY_BYTES)
        if (concerns(entry, asid)) drop_entry(entry);
}

static void flush_all(void) {
    count(COUNTER_FLUSH_ALL, 1);
    memset(memory + TLB_BASE, 0xff, tlb_index_mask + TLB_ENTRY_BYTES);
    superpage_fragments = 0;
}

// ---- the loops

static uint64_t va_of(uint32_t i, uint32_t pages) {
    return FIRST_VA + ((uint64_t)(i & (pages - 1)) << PAGE_SHIFT) + ((i & 63) << 6);
}

static uint64_t load_hit(uint64_t va, uint32_t mask, uint64_t tag) {
    uint32_t entry = TLB_BASE + ((uint32_t)va >> (PAGE_SHIFT - TLB_ENTRY_SHIFT) & mask);
    if (load64(entry + TLB_READ) != ((va & HIT_MASK) | tag)) abort();
    return load64(through(entry, va));
}

static uint64_t load_hits(uint32_t n) {
    uint32_t mask = tlb_index_mask;
    uint64_t tag = asid_tag, sum = 0;
    for (uint32_t i = 0; i < n; i += 4) {
        sum += load_hit(va_of(i, HIT_PAGES), mask, tag);
        sum += load_hit(va_of(i + 1, HIT_PAGES), mask, tag);
        sum += load_hit(va_of(i + 2, HIT_PAGES), mask, tag);
        sum += load_hit(va_of(i + 3, HIT_PAGES), mask, tag);
    }
    return sum;
}

static void store_hit(uint64_t va, uint64_t value, uint32_t mask, uint64_t tag) {
    uint32_t entry = TLB_BASE + ((uint32_t)va >> (PAGE_SHIFT - TLB_ENTRY_SHIFT) & mask);
    if (load64(entry + TLB_WRITE) != ((va & HIT_MASK) | tag)) abort();
    store64(through(entry, va), value);
}

static uint64_t store_hits(uint32_t n) {
    uint32_t mask = tlb_index_mask;
    uint64_t tag = asid_tag;
    for (uint32_t i = 0; i < n; i += 4) {
        store_hit(va_of(i, HIT_PAGES), i, mask, tag);
        store_hit(va_of(i + 1, HIT_PAGES), i, mask, tag);
        store_hit(va_of(i + 2, HIT_PAGES), i, mask, tag);
        store_hit(va_of(i + 3, HIT_PAGES), i, mask, tag);
    }
    return 0;
}

static void touch(void) {
    for (uint32_t i = 0; i < HIT_PAGES; i++) store64(COUNTERS, load64(load_address(va_of(i, HIT_PAGES))));
}

static uint64_t walks(uint32_t n) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += walk(va_of(i, PAGES), ACCESS_LOAD);
    return sum;
}

static uint64_t misses(uint32_t n) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += load64(load_address(va_of(i, PAGES)));
    return sum;
}

static uint64_t flush_ones(uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint64_t va = va_of(i, HIT_PAGES);
        fill_tlb(va, FRAME_PFN * PAGE_BYTES, PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D, 0);
        flush_page(va, ASID);
    }
    return load64(tlb_entry(FIRST_VA));
}

static uint64_t flush_asids(uint32_t n) {
    for (uint32_t i = 0; i < n; i++) flush_asid(OTHER_ASID);
    return load64(tlb_entry(FIRST_VA));
}

static uint64_t flush_alls(uint32_t n) {
    for (uint32_t i = 0; i < n; i++) flush_all();
    return load64(tlb_entry(FIRST_VA));
}

static uint64_t up_and_down(u32_alias *word) {
    uint32_t before = __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    return before + __atomic_fetch_add(word, -1, __ATOMIC_SEQ_CST);
}

static uint64_t refcounts(uint32_t n) {
    u32_alias *word = (u32_alias *)(memory + REFCOUNT);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i += 4) {
        sum += up_and_down(word);
        sum += up_and_down(word);
        sum += up_and_down(word);
        sum += up_and_down(word);
    }
    return sum;
}

static int increment_not_zero(u32_alias *word) {
    uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    while (old != 0)
        if (__atomic_compare_exchange_n(word, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 1;
    return 0;
}

static uint64_t increments_not_zero(uint32_t n) {
    u32_alias *word = (u32_alias *)(memory + REFCOUNT);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i += 4) {
        sum += increment_not_zero(word);
        sum += increment_not_zero(word);
        sum += increment_not_zero(word);
        sum += increment_not_zero(word);
    }
    return sum;
}

// ---- set-up

static void build(uint32_t tlb_entries) {
    tlb_index_mask = (tlb_entries - 1) << TLB_ENTRY_SHIFT;
    asid_tag = ASID << TAG_ASID_SHIFT;
    satp_root = ROOT_PFN;
    leaf_user = PTE_U;
    ram_frames = RAM_FRAMES;
    flush_all();
    store64(pte_address(ROOT_PFN, FIRST_VA, 2), (uint64_t)(ROOT_PFN + 1) << PTE_PPN_SHIFT | PTE_V);
    for (uint32_t page = 0; page < PAGES; page++) {
        uint64_t va = FIRST_VA + ((uint64_t)page << PAGE_SHIFT), table = ROOT_PFN + 2 + page / 512;
        store64(pte_address(ROOT_PFN + 1, va, 1), table << PTE_PPN_SHIFT | PTE_V);
        uint64_t leaf = (uint64_t)(FRAME_PFN + page) << PTE_PPN_SHIFT;
        store64(pte_address(table, va, 0), leaf | PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D);
    }
    store32(REFCOUNT, 1);
}

static unsigned long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000000000ul + (unsigned long)now.tv_nsec;
}

static const struct {
    const char *name;
    uint64_t (*run)(uint32_t n);
} operations[] = {
    {"load-hit", load_hits},     {"store-hit", store_hits},   {"walk", walks},
    {"miss", misses},            {"flush-one", flush_ones},   {"flush-asid", flush_asids},
    {"flush-all", flush_alls},   {"refcount", refcounts},     {"inc-not-zero", increments_not_zero},
};

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    uint32_t n = (uint32_t)strtoul(argv[2], NULL, 10);
    build((uint32_t)strtoul(argv[3], NULL, 10));
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(argv[1], operations[i].name) != 0) continue;
        touch();
        uint64_t checksum = operations[i].run(n / 10);
        touch();
        unsigned long start = now_ns();
        uint64_t result = operations[i].run(n);
        printf("elapsed_ns=%lu\nchecksum=%llx\n", now_ns() - start, (unsigned long long)(checksum + result));
        return 0;
    }
    return 2;
}
