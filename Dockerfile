# The page, and every other command: docker build -t ivfnb . ; docker run -p 127.0.0.1:8501:8501 ivfnb ; docker run ivfnb reproduce
# Linted with hadolint; untested: it has not been built yet.
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --create-home --uid 1000 ivfnb
WORKDIR /home/ivfnb/ivfnb

# CPU build of torch first, a tenth of the CUDA build's size
COPY requirements.lock.txt ./
RUN pip install --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' requirements.lock.txt)" \
    && pip install -r requirements.lock.txt

COPY --chown=ivfnb . .
RUN pip install --no-deps -e . && mkdir -p results .cache && chown ivfnb . results .cache

USER 1000
EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
ENTRYPOINT ["ivfnb"]
# everywhere in the container, which lets in what `docker run -p` forwards
CMD ["app", "--host", "0.0.0.0"]
