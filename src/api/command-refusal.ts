import type { CommandAnswer } from '../call/call-command.ts';
import type { Sent } from '../call/send-command.ts';
import { ApiProblem } from './problem.ts';

/** Why a command to a call's agent was not carried out, for whoever asked. */
export function refusalOf(sent: Exclude<Sent, { kind: 'under_way' }>): ApiProblem {
  switch (sent.kind) {
    case 'id_reused':
      return new ApiProblem(
        'idempotency-key-reused',
        'This Idempotency-Key came with another body within the last 24 h; take a new key.',
      );
    case 'nobody':
      return new ApiProblem(
        'no-agent',
        'No agent is on this call (its worker may have died). Nothing was done; POST …/hangup ends the call.',
      );
    case 'not_taken':
      return new ApiProblem(
        'agent-silent',
        'The agent of the call did not answer. Nothing was done; send it again.',
      );
    case 'answered':
      return refused(sent.answer);
  }
}

function refused(answer: CommandAnswer): ApiProblem {
  if (answer.state === 'done') return new ApiProblem('internal', 'It was done.');
  const { reason, sipStatus } = answer;
  switch (answer.cause) {
    case 'not_answered':
      return new ApiProblem('not-answered', reason);
    case 'busy':
      return new ApiProblem('agent-busy', reason);
    case 'far_end':
      return new ApiProblem(
        'far-end-refused',
        reason,
        sipStatus === undefined ? {} : { sip_status: sipStatus },
      );
    case 'call_over':
      return new ApiProblem('call-over', reason);
    case 'failed':
      return new ApiProblem('internal', reason);
  }
}
