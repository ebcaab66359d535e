import type { Applied } from '../call/ledger/record-events.ts';
import type { CallRecord, Ledger } from '../call/ledger/ledger.ts';
import { markdown } from '../call/transcript/markdown.ts';
import { transcriptOf } from '../call/transcript/transcript.ts';
import { BackgroundTask } from '../platform/background-task.ts';
import { withoutValues } from '../platform/database-failure.ts';
import type { Log } from '../platform/log.ts';
import { viewCallDetail } from './call-view.ts';
import type { ConversationFolder } from './conversation-folder.ts';

const EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const PAGE = 50;

export type ConversationFormat = 'markdown' | 'json' | 'both';

/**
 * Writes a file of each finished conversation, where the operator asks for it. The ledger knows which have theirs,
 * so that none is missing that ended in the last day, whoever was killed.
 */
export class ConversationFiler {
  readonly #ledger: Ledger;
  readonly #folder: ConversationFolder;
  readonly #format: ConversationFormat;
  readonly #task: BackgroundTask;
  #prepared = false;

  constructor(deps: {
    ledger: Ledger;
    folder: ConversationFolder;
    format: ConversationFormat;
    log: Log;
  }) {
    this.#ledger = deps.ledger;
    this.#folder = deps.folder;
    this.#format = deps.format;
    this.#task = new BackgroundTask({
      run: async () => this.run(),
      everyMs: EVERY_MS,
      onError: (thrown) =>
        deps.log.error({ err: withoutValues(thrown) }, 'could not write files of conversations'),
    });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    await this.#task.stop();
  }

  /** Looks for conversations without a file where an event may have made one. */
  applied(applied: readonly Applied[]): void {
    if (applied.some(({ call }) => call.status === 'ended')) this.#task.nudge();
  }

  /** @throws where the folder cannot be written to, or the database is away */
  async run(): Promise<void> {
    try {
      if (!this.#prepared) await this.#folder.prepare();
      this.#prepared = true;
      for (;;) {
        const calls = await this.#ledger.unfiled(new Date(Date.now() - DAY_MS), PAGE);
        let filed = 0;
        for (const record of await this.#ledger.recordsOf(calls)) {
          if (await this.#file(record)) filed += 1;
        }
        // What could not be filed now comes again with the next run.
        if (calls.length < PAGE || filed === 0) return;
      }
    } catch (thrown) {
      this.#prepared = false;
      throw thrown;
    }
  }

  async #file(record: CallRecord): Promise<boolean> {
    const { id } = record.call;
    const transcript = transcriptOf(record);
    if (!transcript) return false;
    if (this.#format !== 'json') await this.#folder.write(id, 'md', markdown(transcript));
    if (this.#format !== 'markdown') {
      const detail = JSON.stringify(viewCallDetail(record), undefined, 2);
      await this.#folder.write(id, 'json', `${detail}\n`);
    }
    const filed = await this.#ledger.noteFiled(record.call, new Date());
    // Whoever erased it meanwhile may have looked for the file before it was there.
    if (filed === 'erased') await this.#folder.remove(id);
    return filed === 'filed';
  }
}
