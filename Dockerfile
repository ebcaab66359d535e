# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: it refuses a lock file that lacks other platforms' optional binaries.
RUN npm install --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim AS trunkline
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE NOTICE ./
COPY bin bin
COPY deploy/healthcheck.mjs deploy/healthcheck.mjs
COPY src src
COPY agents agents
COPY prompts prompts
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
CMD ["node", "src/api/main.ts"]

# The simulator speaks with espeak-ng (GPL), as a program of its own.
FROM trunkline AS simulator
USER root
RUN apt-get update && apt-get install -y --no-install-recommends espeak-ng && rm -rf /var/lib/apt/lists/*
USER node
CMD ["node", "src/simulator/main.ts"]
