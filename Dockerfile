# The operator's image: `docker build .`, or without a container engine `cargo xtask image`, which packs the same tree
# by the last stage of this file. Arguments: VERSION and REVISION for the labels, RUST for another image to build in.
ARG RUST=docker.io/library/rust:1.95-bookworm
# Where the tree comes from: the stage `build`, or, for `cargo xtask image`, the stage `prebuilt`.
ARG CONTENT=build

FROM ${RUST} AS build
WORKDIR /azureml-operator
COPY . .
RUN cargo xtask image --rootfs /rootfs

FROM scratch AS prebuilt
COPY rootfs /rootfs

# hadolint ignore=DL3006
FROM ${CONTENT} AS content

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="azureml-operator" \
      org.opencontainers.image.description="Azure Machine Learning as Kubernetes objects" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=content /rootfs/ /
USER 65532:65532
ENTRYPOINT ["/azureml-operator"]
