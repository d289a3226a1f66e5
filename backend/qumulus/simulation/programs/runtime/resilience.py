"""What the resilience of an estimator job asks for: its level, and the options that differ from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from ibm_quantum_schemas.estimator.version_0_1 import OptionsModel

from .failures import invalid
from .folding import Amplifier

HIGHEST = 2
USUAL = 1


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """Zero-noise extrapolation: how the noise is amplified, by which factors, and what is fitted."""

    amplifier: str
    factors: tuple[float, ...]
    extrapolators: tuple[str, ...]
    points: tuple[float, ...]  # where the fits are evaluated

    @property
    def folds(self) -> bool:
        """Whether gates are folded; otherwise their errors themselves are amplified."""
        return self.amplifier in get_args(Amplifier)


@dataclass(frozen=True, slots=True)
class Resilience:
    """Which mitigation an estimator job gets."""

    twirl_gates: bool
    twirl_measurements: bool
    measure_mitigation: bool
    zne: Extrapolation | None

    def metadata(self) -> dict[str, Any]:
        """The metadata of the result."""
        found: dict[str, Any] = {
            "measure_mitigation": self.measure_mitigation,
            "zne_mitigation": self.zne is not None,
            "pec_mitigation": False,
        }
        if self.zne is not None:
            found["zne"] = {
                "noise_factors": self.zne.factors,
                "extrapolator": self.zne.extrapolators,
                "extrapolated_noise_factors": self.zne.points,
            }
        return found


def resilience(level: object, options: OptionsModel) -> Resilience:
    """The mitigation of a level, as far as the options do not say otherwise.

    Raises:
        ProgramError: the level is none, or an option asks for what is not simulated.
    """
    if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= HIGHEST:
        raise invalid(f"The resilience level {str(level)[:40]} does not exist: choose 0, 1 or 2.")
    asked, twirling = options.resilience, options.twirling
    if asked.pec_mitigation:
        raise invalid(
            "Probabilistic error cancellation is not simulated: use zero-noise extrapolation (zne_mitigation), "
            "with the amplifier 'pea' for learned noise."
        )
    mitigated = _or(asked.measure_mitigation, level >= 1)
    extrapolation = _extrapolation(options) if _or(asked.zne_mitigation, level >= 2) else None
    amplified = extrapolation is not None and not extrapolation.folds
    return Resilience(
        twirl_gates=amplified or _or(twirling.enable_gates, level >= 2),
        twirl_measurements=mitigated or _or(twirling.enable_measure, level >= 1),
        measure_mitigation=mitigated,
        zne=extrapolation,
    )


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def _extrapolation(options: OptionsModel) -> Extrapolation:
    zne = options.resilience.zne
    factors = tuple(float(factor) for factor in zne.noise_factors)
    names = (zne.extrapolator,) if isinstance(zne.extrapolator, str) else tuple(zne.extrapolator)
    auto = zne.extrapolated_noise_factors == "auto"
    points = (0.0, *factors) if auto else tuple(float(point) for point in zne.extrapolated_noise_factors)
    return Extrapolation(zne.amplifier, factors, names, points)
