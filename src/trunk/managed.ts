import { z } from 'zod';

const marker = z.object({ managedBy: z.literal('trunkline'), trunk: z.string() });

/** The metadata that marks an object in livekit-server as made by us for a trunk. */
export function markerOf(trunk: string): string {
  return JSON.stringify({ managedBy: 'trunkline', trunk });
}

/** The trunk for which we made an object; undefined where somebody else made it. */
export function managedTrunk(object: { metadata: string }): string | undefined {
  try {
    return marker.safeParse(JSON.parse(object.metadata)).data?.trunk;
  } catch {
    // Metadata of others need not be JSON.
    return undefined;
  }
}
