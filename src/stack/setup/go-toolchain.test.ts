import { describe, expect, it } from 'vitest';
import { isRecent } from './go-toolchain.ts';

describe('a Go that is on the machine', () => {
  it.each(['go1.21', 'go1.26.8', 'go1.26.8 X:nocoverageredesign', 'go2.0'])(
    'is used: %s',
    (version) => {
      expect(isRecent(version)).toBe(true);
    },
  );

  it.each(['go1.19.8', 'go1.4', '', 'devel'])(
    'is replaced where it is too old or unknown: "%s"',
    (version) => {
      expect(isRecent(version)).toBe(false);
    },
  );
});
