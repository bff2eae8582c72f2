# syntax=docker/dockerfile:1

FROM node:22-alpine AS manifests
WORKDIR /shop
COPY package.json package-lock.json ./
COPY src/app/package.json src/app/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY lua lua
COPY src src
RUN npm run build

# The service alone: no compiler, no test runner.
FROM manifests AS dependencies
# TypeScript is an optional peer of the OpenAPI module, for a compiler plugin that is not used.
RUN npm ci --ignore-scripts --omit=dev --include-workspace-root --workspace src/app && rm -r node_modules/typescript

FROM node:22-alpine
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /shop
# Used only without DATABASE_URL: the embedded Postgres keeps its data here.
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /shop/node_modules node_modules
# The service imports the library by its name, which this file resolves.
COPY package.json ./
COPY --from=build /shop/dist dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT}/health/ready" || exit 1
# Not through npm, which does not pass signals on: SIGTERM must reach the service for it to finish its requests.
CMD ["node", "dist/app/main.js"]
