# Node comes from the base image. The `node` package, which a checkout gets its Node from, is installed without its
# binary, since no install scripts run. Keep this version and the one in package.json the same.
FROM node:24.21.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root: the process can read its code but not change it.
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY config ./config
COPY src ./src
# The base image's user `node`, as a number so that an orchestrator sees that it is not root.
USER 1000:1000
EXPOSE 3000
# Liveness only; /readyz is for the load balancer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would stand between the process and its signals.
CMD ["node", "src/main.ts"]
