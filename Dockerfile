# The same files as `make image`, gathered by the same code, in an image that has nothing else.
FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-pip
COPY . /src
WORKDIR /src
RUN python3 -m hack.image rootfs /rootfs \
 && chown -R 9999:9999 /rootfs/opt/flink

FROM scratch
COPY --from=build /rootfs /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLINK_HOME=/opt/flink \
    FLINK_PLUGINS_DIR=/opt/flink/plugins \
    OPERATOR_LIB=/opt/flink/operator-lib
LABEL org.opencontainers.image.title=flinkop \
      org.opencontainers.image.description="A Kubernetes operator for Apache Flink" \
      org.opencontainers.image.licenses=Apache-2.0
USER 9999:9999
WORKDIR /flink-kubernetes-operator
EXPOSE 8085
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["help"]
