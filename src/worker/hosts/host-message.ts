import type { CallSign } from '../call-sign.ts';
import type { OpenResources } from '../host/open-resources.ts';

/** One run of one job: an agent on a call. A call that is taken over has several, one after the other. */
export type HostCall = {
  /** The agent's identity in the room; unique to this run. */
  run: string;
  /** LiveKit's job. */
  job: string;
  room: string;
  /** As in `job-metadata.ts`. */
  metadata: string;
  url: string;
  token: string;
};

/** What a host says of itself with each pong. */
export type HostFigures = {
  /** Lateness of its event loop over the last seconds, in ms. */
  lagP50: number;
  lagP99: number;
  rssBytes: number;
  /** What it holds open, its calls' and its own. */
  open: OpenResources;
};

/** Why a host asks to be replaced. */
export type Ailment = 'unhandled_rejection' | 'uncaught_exception' | 'leaking';

/** What the parent tells a host. */
export type ToHost =
  | { case: 'ping'; value: { at: number } }
  | { case: 'run'; value: HostCall }
  /** livekit-server has ended the job. */
  | { case: 'stop'; value: { run: string } }
  /** Another agent takes the call: leave it without a word to anybody. */
  | { case: 'letGo'; value: { run: string } }
  /** The worker cannot wait any longer: end the call, telling the far end. */
  | { case: 'endCall'; value: { run: string } }
  /** No call comes any more: exit when those that run are over. */
  | { case: 'retire'; value: Record<string, never> };

/** What a host tells its parent. */
export type FromHost =
  | { case: 'ready'; value: Record<string, never> }
  | { case: 'pong'; value: { at: number } & HostFigures }
  /** The call's id is known. */
  | { case: 'identified'; value: { run: string; call: string } }
  /** The end of the call is on record. */
  | { case: 'ended'; value: { run: string } }
  /** Nothing of the run is left. */
  | { case: 'over'; value: { run: string } }
  /** Something is wrong within a call, which may go on. */
  | { case: 'noticed'; value: { sign: CallSign } }
  | { case: 'ailing'; value: { ailment: Ailment } };
