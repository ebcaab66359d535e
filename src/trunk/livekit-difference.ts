import type {
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
} from 'livekit-server-sdk';

export type LiveKitObject = SIPOutboundTrunkInfo | SIPInboundTrunkInfo | SIPDispatchRuleInfo;

/** Given by the server, or told in two ways. */
const IGNORED = new Set([
  'sipTrunkId',
  'sipDispatchRuleId',
  'createdAt',
  'updatedAt',
  'media',
  'mediaEncryption',
]);

/** Names of the fields in which two objects differ, in order; never their values, which may be secret. */
export function differingFields(actual: LiveKitObject, desired: LiveKitObject): string[] {
  const a = canonical(actual);
  const b = canonical(desired);
  const fields = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...fields].filter((field) => a[field] !== b[field]).sort();
}

/** Lists in whatever order, and encryption wherever it is told: older servers keep it outside `media`. */
function canonical(object: LiveKitObject): Record<string, string> {
  const json = object.toJson();
  const fields = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  const entries = fields
    .filter(([field]) => !IGNORED.has(field))
    .map(([field, value]) => [field, JSON.stringify(Array.isArray(value) ? sorted(value) : value)]);
  const { media } = object;
  return {
    ...Object.fromEntries(entries),
    media: JSON.stringify([media?.codecs ?? [], media?.onlyListedCodecs ?? false]),
    mediaEncryption: String(media?.encryption ?? object.mediaEncryption),
  };
}

function sorted(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}
