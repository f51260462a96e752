# The web client, built once for both images.
FROM node:22-slim AS client
WORKDIR /src
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
# Where the page finds the WebSocket; empty: where the page itself came from.
ARG VITE_WS_URL=""
RUN npm run build

# `--target frontend`: nginx with the client, and the server behind it.
FROM nginx:1.28-alpine AS frontend
COPY deploy/nginx/vestnik.conf.template /etc/nginx/templates/default.conf.template
COPY --from=client /src/dist /usr/share/nginx/html
ENV BACKEND=backend:8000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["wget", "-q", "--spider", "http://127.0.0.1:3000/"]

# Builds what the server runs on; compilers and caches stay behind in this stage.
FROM python:3.11-slim AS build
ARG VENV=/opt/vestnik
WORKDIR /src
COPY setup.cfg setup.py pyproject.toml constraints.txt README.md LICENSE ./
COPY docs docs
COPY domain domain
COPY storage storage
COPY handlers handlers
COPY client_compat client_compat
COPY server server
RUN python -m venv "$VENV" && "$VENV/bin/pip" install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --system --uid 1000 --create-home vestnik && install -d -o vestnik -g vestnik /data
COPY --from=build /opt/vestnik /opt/vestnik
COPY --from=client /src/dist /opt/client
ENV PATH=/opt/vestnik/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WEB_CLIENT_DIR=/opt/client \
    DATA_DIR=/data
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\") or 8000}/health/ready', timeout=4)"]
CMD ["vestnik"]
