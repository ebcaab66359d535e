import {
  APIConnectionError,
  type APIError,
  APIStatusError,
  APITimeoutError,
} from '@livekit/agents';
import { CancellationErrorCode } from 'microsoft-cognitiveservices-speech-sdk';

/** Status that the WebSocket's handshake was answered with; the SDK gives it in its text only. */
const HANDSHAKE_STATUS = /(?:server response|StatusCode): (\d{3})(?!\d)/;

/**
 * Azure's reason for breaking off, as the error that the framework acts upon: which are tried again, and
 * which end the component at once. The message names no address and no key.
 *
 * https://learn.microsoft.com/javascript/api/microsoft-cognitiveservices-speech-sdk/cancellationerrorcode
 *
 * @param retryable false where trying again would repeat what was heard or said already.
 */
export function azureError(
  code: CancellationErrorCode,
  details: string | undefined,
  retryable = true,
): APIError {
  const status = HANDSHAKE_STATUS.exec(details ?? '')?.[1];
  const refused = (statusCode: number) =>
    new APIStatusError({ message: 'Azure speech refused', options: { statusCode, retryable } });
  if (status !== undefined) return refused(Number(status));
  switch (code) {
    case CancellationErrorCode.AuthenticationFailure:
      return refused(401);
    case CancellationErrorCode.Forbidden:
      return refused(403);
    case CancellationErrorCode.BadRequestParameters:
      return refused(400);
    case CancellationErrorCode.TooManyRequests:
      return refused(429);
    case CancellationErrorCode.ServiceError:
      return refused(500);
    case CancellationErrorCode.ServiceTimeout:
      return new APITimeoutError({ message: 'Azure speech timed out', options: { retryable } });
    case CancellationErrorCode.ConnectionFailure:
    case CancellationErrorCode.RuntimeError:
    case CancellationErrorCode.NoError:
      return new APIConnectionError({
        message: 'Azure speech cannot be reached',
        options: { retryable },
      });
  }
}
