# syntax=docker/dockerfile:1

# The container image of Plinth. It runs `plinth server` on the PostgreSQL of PLINTH_DATABASE_URL:
#
#   docker build --tag plinth .
#   docker run --read-only --cap-drop ALL --publish 127.0.0.1:5000:5000 \
#     --env PLINTH_DATABASE_URL=postgres://user:password@host/database --env PLINTH_ADMIN_PASSWORD plinth
#
# The root file system is never written to; /var/lib/plinth is, and with `--blob-store disk` holds the artifacts.
# For a build that can be repeated to the byte, name the base image by its digest:
#   --build-arg NODE_IMAGE=docker.io/library/node:24.21.0-trixie-slim@sha256:...
ARG NODE_IMAGE=docker.io/library/node:24.21.0-trixie-slim

# ---- build: locked dependencies, compiled code. What comes out runs on any processor, so it is built on the builder's.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /src
# The manifests first: the layer with the dependencies stays until the lock file changes.
COPY package.json package-lock.json .npmrc ./
COPY contract/package.json contract/
COPY infra/package.json infra/
COPY server/package.json server/
COPY cli/package.json cli/
COPY conformance/package.json conformance/
COPY bench/package.json bench/
# No install script is needed: they fetch Node and PostgreSQL, which the image does not take from packages.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/image-tree.ts /image

# ---- run
FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Plinth" \
      org.opencontainers.image.description="The MLOps platform as one program" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"

# Package managers have no business in a running container. The user has a number that no host gives to a person, and
# owns nothing but its data folder.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && groupadd --gid 10001 plinth \
    && useradd --uid 10001 --gid plinth --no-create-home --home-dir /var/lib/plinth --shell /usr/sbin/nologin plinth \
    && install --directory --owner=plinth --group=plinth --mode=0750 /var/lib/plinth \
    && ln -s /app/cli/src/main.js /usr/local/bin/plinth
COPY --from=build /image/ /

# Loopback would be of no use in a container. Elsewhere everybody must log in, so Plinth starts only when there is an
# administrator: PLINTH_ADMIN_PASSWORD makes the first one.
ENV NODE_ENV=production \
    PLINTH_DATA_DIR=/var/lib/plinth \
    PLINTH_HOST=0.0.0.0 \
    PLINTH_PORT=5000
WORKDIR /app
# By number: Kubernetes cannot tell from a name that it is not root (runAsNonRoot).
USER 10001:10001
VOLUME ["/var/lib/plinth"]
EXPOSE 5000

# Plinth handles SIGTERM itself: it drains requests and ends with 0. It is the first process of the container, so the
# signal reaches it, and it waits for the processes that it starts; no init is needed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["plinth", "status"]
ENTRYPOINT ["plinth"]
CMD ["server"]
