# The image of gameday's load workers, for engines that take images only from a registry: with
# GAMEDAY_LOAD_IMAGE=registry.example/gameday-load:VERSION, gameday uses it.
#   docker build -t registry.example/gameday-load:VERSION -f deploy/load.Dockerfile deploy
FROM scratch
ARG TARGETARCH=amd64
COPY gameday-load-linux-${TARGETARCH} /gameday-load
ENTRYPOINT ["/gameday-load"]
