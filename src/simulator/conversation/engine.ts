import { Releases } from '../../platform/releases.ts';
import { CallLog, sentenceOf } from './call-log.ts';
import { CallRun } from './call-run.ts';
import type { PreparedStep } from './caller.ts';
import type { ScriptLine } from '../script.ts';
import type { EngineParts } from './engine-parts.ts';
import {
  inOrder,
  summary,
  type CallReport,
  type ConversationEvent,
  type ConversationReport,
} from './report.ts';
import { speakHesitantly } from './hesitation.ts';
import {
  callsOf,
  type CallPlan,
  vendorFaultsOf,
  vendorPaceOf,
  wordsOfStep,
  type Conversation,
} from './schema.ts';

/** However many steps it has, a conversation does not last longer. */
const LONGEST_CONVERSATION_MS = 900_000;

export type RunOptions = {
  /** Whether the sound of each call is wanted. */
  record: boolean;
  tell: (event: ConversationEvent) => void;
  /** Ends the conversation early; everything is released all the same. */
  signal: AbortSignal;
};

/**
 * Holds whole conversations: prepares what will be said, sets the vendors up, lets the calls happen at
 * once, and reports. Never throws for what happens in a call, and never waits without a limit.
 */
export class ConversationEngine {
  readonly #parts: EngineParts;
  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async run(
    conversation: Conversation,
    name: string,
    { record, tell, signal }: RunOptions,
  ): Promise<ConversationReport> {
    const startedAt = performance.now();
    const limit = AbortSignal.timeout(LONGEST_CONVERSATION_MS);
    const stop = AbortSignal.any([signal, limit]);
    const releases = new Releases();
    tell({ type: 'started', call: '', text: name });
    const plans = callsOf(conversation);
    /** Inbound calls of the ledger that some call of this conversation has recognised as its own. */
    const claimed = new Set<string>();
    let calls: CallReport[];
    try {
      const prepared = await Promise.all(
        plans.map((plan) => this.#prepare(plan, conversation.language, releases)),
      );
      if (conversation.faults) {
        releases.add('vendor faults', this.#parts.faults.add(vendorFaultsOf(conversation.faults)));
      }
      if (conversation.vendors) {
        releases.add('pace', this.#parts.pace.ask(vendorPaceOf(conversation.vendors)));
      }
      calls = await Promise.all(
        plans.map(async (plan, index) => {
          const log = new CallLog(plans.length > 1 ? plan.label : '', tell);
          const run = new CallRun(plan, {
            parts: this.#parts,
            mute: conversation.mute,
            claimed,
            record,
            log,
            signal: stop,
          });
          await run.run(prepared[index] ?? []);
          if (run.recording) {
            const wavBase64 = run.recording.wav().toString('base64');
            tell({ type: 'recording', call: plan.label, wavBase64 });
          }
          return reportOf(plan, run, log);
        }),
      );
    } catch (thrown) {
      const check = { ok: false, what: sentenceOf(thrown, this.#parts.log) };
      calls = plans.map((plan) => ({
        label: plan.label,
        passed: false,
        direction: plan.call ? 'inbound' : 'outbound',
        lines: [],
        measures: [],
        checks: [check],
      }));
    } finally {
      await releases.run();
    }
    const report: ConversationReport = {
      name,
      passed: calls.every((call) => call.passed),
      durationMs: Math.round(performance.now() - startedAt),
      calls,
    };
    tell({ type: 'report', text: summary(report), report });
    return report;
  }

  /** Lets the caller's lines be spoken and known, and the LLM's stand-in learn its part. */
  async #prepare(plan: CallPlan, language: string, releases: Releases): Promise<PreparedStep[]> {
    releases.add('script', this.#parts.script.register(scriptOf(plan)));
    return Promise.all(
      plan.steps.map(async (step) => {
        const { says, hesitates, voice } = step.caller ?? {};
        const say = async (text: string) => {
          const sound = await this.#parts.speech.say(text, { voice, language });
          this.#parts.callerLines.add(text, sound);
          return sound;
        };
        if (says !== undefined) return { step, sound: await say(says) };
        if (hesitates) return { step, sound: await speakHesitantly(hesitates, say) };
        return { step, sound: undefined };
      }),
    );
  }
}

/** The lines of a call in their order: the first of the agent is the greeting, the rest the LLM's part. */
function scriptOf(plan: CallPlan): ScriptLine[] {
  return plan.steps.flatMap(({ agent, caller }): ScriptLine[] => {
    if (agent && (agent.says !== undefined || agent.tool)) {
      return [{ agent: { text: agent.says, tool: agent.tool } }];
    }
    const words = caller && wordsOfStep(caller);
    return words === undefined ? [] : [{ caller: words }];
  });
}

function reportOf(plan: CallPlan, run: CallRun, log: CallLog): CallReport {
  const { answeredAfterMs, end, callId } = run;
  return {
    label: plan.label,
    passed: log.passed,
    direction: plan.call ? 'inbound' : 'outbound',
    // A line that was broken off is recognised only after the one that broke in.
    lines: log.lines.toSorted((a, b) => a.startedAt - b.startedAt),
    measures: inOrder(log.measures),
    ...(log.hesitations > 0 ? { hesitations: log.hesitations, cutIns: log.cutIns } : {}),
    checks: log.checks,
    ...(answeredAfterMs === undefined ? {} : { answeredAfterMs }),
    ...(end === undefined ? {} : { end }),
    ...(callId === undefined ? {} : { callId }),
  };
}
