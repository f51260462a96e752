# Builds what the server runs on; compilers and caches stay behind in this stage.
FROM python:3.11-slim AS build
ARG VENV=/opt/vestnik
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY storage storage
COPY handlers handlers
COPY client_compat client_compat
COPY server server
RUN python -m venv "$VENV" && "$VENV/bin/pip" install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 1000 --create-home vestnik && install -d -o vestnik -g vestnik /data
COPY --from=build /opt/vestnik /opt/vestnik
ENV PATH=/opt/vestnik/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\") or 8000}/health/ready', timeout=4)"]
CMD ["vestnik"]
