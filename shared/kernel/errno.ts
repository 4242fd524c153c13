/** Error numbers by name (errno(3)). */
export const ERRNOS = [
  'EPERM',
  'ENOENT',
  'ESRCH',
  'EAGAIN',
  'ENOMEM',
  'EACCES',
  'EFAULT',
  'EBUSY',
  'EEXIST',
  'EINVAL',
  'ENFILE',
  'ENOSPC',
  'ENOEXEC',
  'EBADF',
  'EMFILE',
  'EFBIG',
  'EIO',
] as const;
export type Errno = (typeof ERRNOS)[number];
