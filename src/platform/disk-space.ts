import { statfs } from 'node:fs/promises';

export type DiskSpace = {
  /** Bytes that this user may still write. */
  freeBytes: number;
  totalBytes: number;
};

/** The space of the file system that holds a folder. */
export async function diskSpace(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
