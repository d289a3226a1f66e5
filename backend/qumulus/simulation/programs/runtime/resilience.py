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
class Cancellation:
    """Probabilistic error cancellation: how much noise is left, chosen for each pub if None, and the γ² that may be."""

    gain: float | None
    max_overhead: float | None


@dataclass(frozen=True, slots=True)
class Resilience:
    """Which mitigation an estimator job gets."""

    twirl_gates: bool
    twirl_measurements: bool
    measure_mitigation: bool
    zne: Extrapolation | None
    pec: Cancellation | None = None

    @property
    def learns_layers(self) -> bool:
        """Whether the noise of layers is used."""
        return self.pec is not None or (self.zne is not None and not self.zne.folds)

    def metadata(self) -> dict[str, Any]:
        """The metadata of the result."""
        found: dict[str, Any] = {
            "measure_mitigation": self.measure_mitigation,
            "zne_mitigation": self.zne is not None,
            "pec_mitigation": self.pec is not None,
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
    pec = _cancellation(options) if asked.pec_mitigation else None
    mitigated = _or(asked.measure_mitigation, level >= 1)
    extrapolation = _extrapolation(options) if _or(asked.zne_mitigation, level >= 2 and pec is None) else None
    amplified = extrapolation is not None and not extrapolation.folds
    return Resilience(
        twirl_gates=amplified or pec is not None or _or(twirling.enable_gates, level >= 2),
        twirl_measurements=mitigated or _or(twirling.enable_measure, level >= 1),
        measure_mitigation=mitigated,
        zne=extrapolation,
        pec=pec,
    )


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def _cancellation(options: OptionsModel) -> Cancellation:
    pec = options.resilience.pec
    return Cancellation(None if pec.noise_gain == "auto" else float(pec.noise_gain), pec.max_overhead)


def _extrapolation(options: OptionsModel) -> Extrapolation:
    zne = options.resilience.zne
    factors = tuple(float(factor) for factor in zne.noise_factors)
    names = (zne.extrapolator,) if isinstance(zne.extrapolator, str) else tuple(zne.extrapolator)
    auto = zne.extrapolated_noise_factors == "auto"
    points = (0.0, *factors) if auto else tuple(float(point) for point in zne.extrapolated_noise_factors)
    return Extrapolation(zne.amplifier, factors, names, points)
