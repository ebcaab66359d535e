import { asError, OperatorError } from '../../platform/errors.ts';

/** What Twilio's REST API answered: https://www.twilio.com/docs/api/errors */
type RestFailure = { status?: number; code?: number };

/**
 * Does one thing with Twilio's REST API.
 *
 * @param doing what is done, for the error: "create the trunk"
 * @throws {OperatorError} with what Twilio said and what to do about it
 */
export async function askTwilio<T>(doing: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (thrown) {
    throw explainFailure(doing, thrown);
  }
}

function explainFailure(doing: string, thrown: unknown): OperatorError {
  const { status, code } = failureOf(thrown);
  const said = code === undefined ? '' : ` (Twilio's error ${code})`;
  const fail = (what: string, remedy: string) =>
    new OperatorError(`Twilio refused to ${doing}: ${what}${said}.`, { remedy, cause: thrown });
  if (code === 20005) {
    return fail(
      'the account is not active',
      'see the account in the Twilio console: billing or review',
    );
  }
  if (status === 401 || code === 20003) {
    return fail(
      'the account SID and the auth token do not belong together',
      'copy both again from the Twilio console; a token that was rotated is void',
    );
  }
  if (code === 20008) {
    return fail('these are test credentials', 'use the live credentials of the account');
  }
  if (status === 403) {
    return fail(
      'this account may not do it',
      'Elastic SIP Trunking may be off for a subaccount or a restricted key: use the credentials of the account itself',
    );
  }
  if (status === 429) return fail('too many requests', 'try again in a minute');
  if (status !== undefined)
    return fail(`HTTP ${status}`, `see https://www.twilio.com/docs/api/errors/${code ?? ''}`);
  return new OperatorError(`Twilio could not be reached to ${doing}: ${asError(thrown).message}`, {
    remedy: 'check that this machine reaches https://api.twilio.com and trunking.twilio.com',
    cause: thrown,
  });
}

function failureOf(thrown: unknown): RestFailure {
  if (typeof thrown !== 'object' || thrown === null) return {};
  const status =
    'status' in thrown && typeof thrown.status === 'number' ? thrown.status : undefined;
  const code = 'code' in thrown ? Number(thrown.code) : Number.NaN;
  return {
    ...(status === undefined ? {} : { status }),
    ...(Number.isInteger(code) ? { code } : {}),
  };
}
