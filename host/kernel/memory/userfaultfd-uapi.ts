// The interface of userfaultfd. (Linux: include/uapi/linux/userfaultfd.h)

import { UFFD_FEATURE_WP_UNPOPULATED } from "../../mm/userfaultfd/userfaultfd-wp.ts";

export const UFFD_API = 0xaa;
export const UFFD_USER_MODE_ONLY = 1;

export const UFFDIO_REGISTER = 0xc020aa00;
export const UFFDIO_UNREGISTER = 0x8010aa01;
export const UFFDIO_WAKE = 0x8010aa02;
export const UFFDIO_COPY = 0xc028aa03;
export const UFFDIO_ZEROPAGE = 0xc020aa04;
export const UFFDIO_MOVE = 0xc028aa05;
export const UFFDIO_WRITEPROTECT = 0xc018aa06;
export const UFFDIO_CONTINUE = 0xc020aa07;
export const UFFDIO_POISON = 0xc020aa08;
export const UFFDIO_API = 0xc018aa3f;

const REGISTER = 1 << 0; // 1 << _UFFDIO_*: what can be done with the descriptor, or with a registered range
const UNREGISTER = 1 << 1;
const WAKE = 1 << 2;
const COPY = 1 << 3;
const ZEROPAGE = 1 << 4;
const MOVE = 1 << 5;
export const RANGE_WRITEPROTECT = 1 << 6;
export const RANGE_CONTINUE = 1 << 7;
const POISON = 1 << 8;
export const API_IOCTLS = REGISTER | UNREGISTER; // and UFFDIO_API, bit 63
export const API_IOCTLS_HIGH = 1 << 31;
export const RANGE_IOCTLS = WAKE | COPY | ZEROPAGE | MOVE | POISON | RANGE_WRITEPROTECT | RANGE_CONTINUE;

export const UFFD_FEATURE_PAGEFAULT_FLAG_WP = 1 << 0;
export const UFFD_FEATURE_EVENT_FORK = 1 << 1;
export const UFFD_FEATURE_EVENT_REMAP = 1 << 2;
export const UFFD_FEATURE_EVENT_REMOVE = 1 << 3;
export const UFFD_FEATURE_MISSING_SHMEM = 1 << 5;
export const UFFD_FEATURE_EVENT_UNMAP = 1 << 6;
export const UFFD_FEATURE_SIGBUS = 1 << 7;
export const UFFD_FEATURE_THREAD_ID = 1 << 8;
export const UFFD_FEATURE_MINOR_SHMEM = 1 << 10;
export const UFFD_FEATURE_EXACT_ADDRESS = 1 << 11;
export const UFFD_FEATURE_WP_HUGETLBFS_SHMEM = 1 << 12;
export const UFFD_FEATURE_POISON = 1 << 14;
export const UFFD_FEATURE_MOVE = 1 << 16;
/** All that there are. */
export const UFFD_FEATURES_ALL =
  UFFD_FEATURE_PAGEFAULT_FLAG_WP |
  UFFD_FEATURE_EVENT_FORK |
  UFFD_FEATURE_EVENT_REMAP |
  UFFD_FEATURE_EVENT_REMOVE |
  UFFD_FEATURE_EVENT_UNMAP |
  UFFD_FEATURE_MISSING_SHMEM |
  UFFD_FEATURE_SIGBUS |
  UFFD_FEATURE_THREAD_ID |
  UFFD_FEATURE_MINOR_SHMEM |
  UFFD_FEATURE_EXACT_ADDRESS |
  UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
  UFFD_FEATURE_WP_UNPOPULATED |
  UFFD_FEATURE_POISON |
  UFFD_FEATURE_MOVE;
/** In UFFD_FEATURES: UFFDIO_API has been called. */
export const UFFD_INITIALIZED = 1 << 31;

export const REGISTER_MODE_MISSING = 1 << 0;
export const REGISTER_MODE_WP = 1 << 1;
export const REGISTER_MODE_MINOR = 1 << 2;
export const CONTINUE_MODE_DONTWAKE = 1 << 0;
export const CONTINUE_MODE_WP = 1 << 1;
export const POISON_MODE_DONTWAKE = 1 << 0;
export const MOVE_MODE_DONTWAKE = 1 << 0;
export const MOVE_MODE_ALLOW_SRC_HOLES = 1 << 1;
export const COPY_MODE_DONTWAKE = 1 << 0;
export const COPY_MODE_WP = 1 << 1;
export const ZEROPAGE_MODE_DONTWAKE = 1 << 0;
export const WRITEPROTECT_MODE_WP = 1 << 0;
export const WRITEPROTECT_MODE_DONTWAKE = 1 << 1;

export const UFFD_EVENT_PAGEFAULT = 0x12;
export const UFFD_PAGEFAULT_FLAG_WRITE = 1 << 0;
export const UFFD_PAGEFAULT_FLAG_WP = 1 << 1;
export const UFFD_PAGEFAULT_FLAG_MINOR = 1 << 2;
/** TASK_WAIT_KEY_HI of a task that waits: UFFD_PAGEFAULT_FLAG_*, and from here on the byte in the page. */
export const KEY_OFFSET_SHIFT = 8;
/** struct uffd_msg: event u8, then from byte 8 on: flags u64, address u64, ptid u32; or fd u32; or up to three u64. */
export const UFFD_MSG_BYTES = 32;
