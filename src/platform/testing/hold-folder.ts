import { holdFolder } from '../folder-lock.ts';

/** A process for a test: holds the folder it is given, says so, and waits to be killed. */
holdFolder(process.argv[2] ?? '', 'wait');
process.send?.('held');
process.on('message', () => undefined);
