import type { Leg } from '../../src/simulator/leg.ts';

/** As much of a telephone line as a caller of the bench needs. */
export type CallerLeg = Pick<Leg, 'onSound' | 'play' | 'ended' | 'hangUp'>;
