import path from 'node:path';

/** Folder of the program: where `src/` lies. */
export const sourceRoot: string = path.resolve(import.meta.dirname, '../..');
