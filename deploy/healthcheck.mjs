// Exit 0 when the URL answers with 200: the health check of a container, whose image has no curl.
const [, , url] = process.argv;
const healthy = await fetch(url, { signal: AbortSignal.timeout(4000) }).then(
  (response) => response.ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
