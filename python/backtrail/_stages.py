"""The stages of the engine on Arrow batches, for programs that divide the work themselves."""

from typing import Any

from backtrail import _native, _settings
from backtrail._arguments import Path


def job(
    *,
    rules: Path | None = None,
    allow: Path | None = None,
    filters: Path | None = None,
    buckets: int = 1,
    **options: Any,
) -> _native.Job:
    """Compile rules, filters and options for the stages.

    buckets: into how many groups visitors are divided.
    options: those of ``backtrail.run`` that decide about events: where, since, until, redact,
        strict_detect, assign_ids, correct_clocks, max_record_bytes; and no_sign_request, for objects
        that are read without credentials.

    Every process of a job is to be given the same. Batches bear a fingerprint of all of it in their
    column ``job``, and a stage refuses those of another job with a StageError.

    Raises UsageError or RulesError.
    """
    for bound in ("since", "until"):
        options[bound] = _settings.at(options.get(bound))
    named = {"rules": rules, "allow": allow, "filters": filters}
    return _settings.compile_named(named, _settings.gather(named, options, buckets))
