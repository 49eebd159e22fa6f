// Constants of Linux's file interface that fs/ and kernel/ share (include/uapi/linux/stat.h, fcntl.h, limits.h).

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const PERMISSION_BITS = 0o7777; // S_IALLUGO
export const EXECUTE_BITS = 0o111;

export const NAME_MAX = 255;
/** PATH_MAX, the NUL included. */
export const PATH_MAX = 4096;
/** A link's target, without a NUL. */
export const LINK_TARGET_MAX = 4095;
/** MAXSYMLINKS: links in one walk. */
export const LINKS_IN_WALK_MAX = 40;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

export const NS_PER_SECOND = 1_000_000_000;
