# The operator's image: `docker build .`, or without a container engine `cargo xtask image`, which packs the same tree
# by the last stage of this file: it gives a folder of the name `build` instead of the stage (`--build-context`).
# Arguments: VERSION and REVISION for the labels, RUST for another image to build in.
ARG RUST=docker.io/library/rust:1.95-bookworm

FROM ${RUST} AS build
WORKDIR /azureml-operator
COPY . .
RUN cargo xtask image --rootfs /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="azureml-operator" \
      org.opencontainers.image.description="Azure Machine Learning as Kubernetes objects" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /rootfs/ /
USER 65532:65532
ENTRYPOINT ["/azureml-operator"]
