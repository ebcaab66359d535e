/** Those of libpq that mean what we want in any case: a server that takes writes. */
const WRITABLE = ['read-write', 'primary'];

const FORM =
  /^(?<head>postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)(?<hosts>[^@/?#]*)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/;

/**
 * Reads `DATABASE_URL`: one URL for each of its hosts, in the form of libpq
 * (https://www.postgresql.org/docs/current/libpq-connect.html):
 *
 *     postgres://user:password@host1:5432,host2:5432/database?target_session_attrs=read-write
 *
 * @throws Error saying what is wrong, without anything secret in it.
 */
export function postgresUrls(url: string): string[] {
  const groups = FORM.exec(url)?.groups;
  if (!groups) throw new Error(`must look like ${EXAMPLES}`);
  const { head = '', hosts = '', path = '' } = groups;
  const query = new URLSearchParams(groups['query'] ?? '');
  const wanted = query.get('target_session_attrs');
  if (wanted !== null && !WRITABLE.includes(wanted)) {
    throw new Error('target_session_attrs must be read-write: the ledger writes');
  }
  query.delete('target_session_attrs');
  const rest = `${path}${query.size > 0 ? `?${query.toString()}` : ''}`;
  return hosts.split(',').map((host) => {
    const each = `${head}${host.trim()}${rest}`;
    if (!URL.canParse(each)) throw new Error(`each host must be host or host:port; ${EXAMPLES}`);
    return each;
  });
}

const EXAMPLES =
  'postgres://user:password@10.0.0.1:5432/trunkline, or with several hosts and commas between them';
