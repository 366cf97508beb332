# The image of gameday's helpers, for engines that take images only from a registry: with
# GAMEDAY_HELPER_IMAGE=registry.example/gameday-helper:VERSION, gameday uses it.
#   docker build -t registry.example/gameday-helper:VERSION -f deploy/helper.Dockerfile deploy
FROM scratch
ARG TARGETARCH=amd64
COPY gameday-helper-linux-${TARGETARCH} /gameday-helper
ENTRYPOINT ["/gameday-helper"]
