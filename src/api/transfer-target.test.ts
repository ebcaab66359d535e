import { describe, expect, test } from 'vitest';
import { aTrunk } from '../trunk/trunk-fixture.ts';
import { transferTarget } from './transfer-target.ts';

const office = aTrunk({ transferHosts: ['pbx.example.com', '[2001:db8::1]'] });

describe('a number', () => {
  test('becomes a tel: URI in E.164', () => {
    expect(transferTarget('+1 (202) 555-0123', office)).toBe('tel:+12025550123');
  });

  test('must be possible, and within what the trunk permits', () => {
    expect(() => transferTarget('2025550123', office)).toThrow(/must begin with \+/);
    expect(() => transferTarget('+4930123456', office)).toThrow(/permits only destinations in US/);
  });

  test('may be any digits where the calls stay on our own machines', () => {
    const local = aTrunk({ provider: 'simulator', allowedPrefixes: ['+'] });
    expect(transferTarget('4711', local)).toBe('tel:4711');
    expect(() => transferTarget('4711x', local)).toThrow();
  });
});

describe('a sip: URI', () => {
  test.each(['sip:desk@pbx.example.com', 'sip:+12@PBX.example.com:5080', 'sips:a@[2001:db8::1]'])(
    'is taken where the trunk names its host: %s',
    (to) => expect(transferTarget(to, office)).toBe(to),
  );

  test('is refused at any other host, and where the trunk names none', () => {
    expect(() => transferTarget('sip:desk@evil.example', office)).toThrow(/only at pbx/);
    expect(() => transferTarget('sip:desk@pbx.example.com', aTrunk())).toThrow(/transfer_hosts/);
  });

  test.each([
    'sip:pbx.example.com',
    'sip:a@pbx.example.com;transport=tcp',
    'sip:a@pbx.example.com?Replaces=x',
    'sip:a@evil.example@pbx.example.com',
    'sip:a@pbx.example.com\r\nX-Evil: 1',
    'sip:a@pbx.example.com\n',
    'sip:a>@pbx.example.com',
  ])('holds nothing beyond user, host and port: %j', (to) => {
    expect(() => transferTarget(to, office)).toThrow(/sip:user@host/);
  });
});

test('a trunk that is gone permits nothing', () => {
  expect(() => transferTarget('+12025550123', undefined)).toThrow(/trunks.yaml/);
});
