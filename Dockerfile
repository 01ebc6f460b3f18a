# syntax=docker/dockerfile:1

FROM node:22-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY web/ ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=web /web/dist web/dist
# Cache mounts are not part of the image, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin kurultai && cp target/release/kurultai /usr/local/bin/kurultai

FROM debian:bookworm-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin kurultai \
    && install --directory --owner=kurultai --group=kurultai /data
COPY --from=build /usr/local/bin/kurultai /usr/local/bin/kurultai
ENV DATABASE_URL=sqlite:///data/kurultai.db \
    KURULTAI_LISTEN=0.0.0.0:8080
USER kurultai
WORKDIR /data
VOLUME /data
EXPOSE 8080
# bash can open TCP connections (/dev/tcp), so the image needs no HTTP client.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["kurultai"]
CMD ["serve"]
