# Freqtrade's own image, with its Python, and this plugin in it. Keep the tag in step with the freqtrade version in
# pyproject.toml.
FROM freqtradeorg/freqtrade:2026.9

COPY --chown=ftuser:ftuser . /tmp/fundhedge
RUN pip install --user --no-cache-dir /tmp/fundhedge && rm -rf /tmp/fundhedge

# The image's own entry point stays: docker run ... trade -c /freqtrade/user_data/config-fundhedge.json
# The command beside it:                docker run --entrypoint fundhedge ... doctor -c ...
