"""More reasons of verdicts and of the release gate, as ``report_reasons`` has the others."""

from __future__ import annotations

# Of verdict.py, failing.py and wording.py, on what an audit measured.
AUDIT = (
    "{level} {part} of {parts}, in a random order: after unlearning the attack has an "
    "advantage of at least {lower} with {confidence} % confidence in this comparison by "
    "itself, above the margin {margin} (estimate {estimate}, judged on {inside} against "
    "{outside} models; p = {p} after Holm's correction for {comparisons} comparisons).",
    "{level}: after unlearning the attack has an advantage of at least {lower} with "
    "{confidence} % confidence in this comparison by itself, above the margin {margin} "
    "(estimate {estimate}, judged on {inside} against {outside} models; p = {p} after Holm's "
    "correction for {comparisons} comparisons).",
    "{level}: before unlearning the attack's advantage is only known to be at least {seen} "
    "for every subject, which does not exceed the margin {margin}.",
    "{level}: with {arm} judged models per arm this audit could at best bound the advantage "
    "at {bound}, above the margin {margin}.",
    "{level}: with {arm} judged models per arm this audit could at best bound the advantage "
    "at {bound}, within the margin {margin}.",
    "{level}: with {arm} judged models per arm this audit could at best bound the advantage "
    "at {bound}, above the margin {margin}; a leak above the margin shows in 80 % of audits "
    "from an advantage of {detectable} on.",
    "{level}: with {arm} judged models per arm this audit could at best bound the advantage "
    "at {bound}, within the margin {margin}; a leak above the margin shows in 80 % of audits "
    "from an advantage of {detectable} on.",
    "This is attempt {attempt} on the same records of the same version. It continues the bets"
    " of those before it, which lost, are open or spent all: it must win exp({debt}) times "
    "what a first attempt must to pass.",
    "This is attempt {attempt} on the same records of the same version; the first spent all "
    "that a pass may err, so this one can fail and cannot pass.",
    "This attack is descriptive and can never clear a model.",
    "The shadow models learned from surrogates; the deployed model was not tested.",
    "Retrained models were not compared by {attacks}, so of all attacks together only the "
    "leak is bounded.",
    "Retained accuracy fell from {before} to {after}, more than the margin {margin}; a "
    "destroyed model leaks nothing and proves nothing.",
    "Test accuracy fell from {before} to {after}, more than the margin {margin}; a destroyed "
    "model leaks nothing and proves nothing.",
)
# Of verdict.py on exact runs, of contrast.py and of decisions.
EXACT = (
    "The attack still sees the erased records in a model that lineage calls clean.",
    "Not every ancestor was made exactly: {names}.",
    "Smoke alarm: {outcome}.",
    "The manifest digest does not match the recorded one.",
    "Records of the forget set are still among the inputs of {names}.",
    "The code digest was not recorded.",
    "The environment digest was not recorded.",
    "The policy asks for attacks that could not be made: {names}.",
    "Retrained outside; its captured membership excludes the forget set.",
)
# Of bounded.py.
BOUNDED = (
    "Its training promised nothing.",
    "Its epsilon or delta is no number that promises anything.",
    "Its training promised epsilon {epsilon} and delta {delta}; the policy accepted "
    "{most_epsilon} and {most_delta} at most.",
    "{names} learned of the records through it, and would stand on it.",
    "The version was left as it is. Its training bounded what one person could change: "
    "epsilon {epsilon} and delta {delta}, where the policy accepted {most_epsilon} and "
    "{most_delta} at most.",
    "The version was left as it is. Its training bounded what {people} people together could "
    "change: epsilon {epsilon} and delta {delta}, where the policy accepted {most_epsilon} "
    "and {most_delta} at most.",
    "The recipe of the result is not the one of the version.",
    "The head counts {removed} records taken out, and {records} were to be forgotten.",
    "The budget went from {before} to {spent}, and the noise covers {limit}.",
    "The certificate has epsilon {epsilon} and delta {delta}; the policy accepted "
    "{most_epsilon} and {most_delta} at most.",
    "The removal leaves a gradient of at most {spent} behind, with all before it, and the "
    "noise of the training covers {limit} at epsilon {epsilon} and delta {delta}.",
    "{names} rests on removals within a bound: this is no more than that.",
)
# Of planted.py.
CANARIES = (
    "The canaries that were erased with the records are not seen in the deployed model, "
    "though they were in the version before. That shows nothing about the records themselves.",
    "The canaries were not seen even in the version before, so that not seeing them in the "
    "deployed model shows nothing.",
    "No attack on the canaries could be made, so they show nothing.",
    "{attack}: canaries that were erased with the records are still seen in the deployed "
    "model (p = {p}, below {limit}; {canaries} canaries).",
)
# Of the release gate: unlearning/core/release/gate.py, gating.py.
GATE = (
    "Accuracy fell by {fell}, from {before} to {after}; {tolerated} are tolerated.",
    "Accuracy did not fall, from {before} to {after}; {tolerated} are tolerated.",
    "Accuracy of shard {number} fell by {fell}, from {before} to {after}; {tolerated} are "
    "tolerated.",
    "Accuracy of shard {number} did not fall, from {before} to {after}; {tolerated} are "
    "tolerated.",
    "Accuracy of the shard that fell most fell by {fell}, from {before} to {after}; {tolerated} "
    "are tolerated.",
    "Accuracy of the shard that fell most did not fall, from {before} to {after}; {tolerated} "
    "are tolerated.",
    "Adversarial accuracy fell by {fell}, from {before} to {after}; {tolerated} are tolerated.",
    "Adversarial accuracy did not fall, from {before} to {after}; {tolerated} are tolerated.",
    "Adversarial accuracy was not measured before unlearning, so it is not known.",
    "Adversarial accuracy was not measured after unlearning, so it is not known.",
    "Accuracy before and after was not compared.",
    "Accuracy before and after was not compared: {records} records were never trained on, and"
    " {needed} are needed.",
    "{records} records were never trained on, and {needed} are needed.",
    "No accuracy fell by more than is tolerated.",
)
# Of certified.py and expiry.py.
CERTIFICATE = (
    "The numbers on the procedure are those of certificate {named} of {issued}, valid "
    "until {expires}, digest {digest}, made on other people's records. For this run {models} "
    "models that never saw the records were trained; the deployed model stands out from them "
    "(p = {p}).",
    "The numbers on the procedure are those of certificate {named} of {issued}, valid "
    "until {expires}, digest {digest}, made on other people's records. For this run {models} "
    "models that never saw the records were trained; the deployed model does not stand out "
    "from them (p = {p}).",
    "A run of the procedure failed after certificate {named} was issued.",
    "The models of this run were trained in different ways: {paths}.",
    "not computed: the {count} shadow models of this audit expired before there was a "
    "verdict, and were destroyed with their scores on {day}.",
)
# Of harness.py, on an experiment that is broken.
EXPERIMENT = (
    "Some scores are not finite.",
    "The deployed model has scores that are not finite.",
    "{count} of {size} scores before unlearning are not finite.",
    "{count} of {size} scores after unlearning are not finite.",
    "{count} of {size} scores after retraining are not finite.",
    "{count} of {size} scores of the canaries are not finite.",
    "Scores before unlearning are saturated: {count} of {size} records have the same score "
    "under most models.",
    "Scores after unlearning are saturated: {count} of {size} records have the same score "
    "under most models.",
    "Scores after retraining are saturated: {count} of {size} records have the same score "
    "under most models.",
    "Scores of the canaries are saturated: {count} of {size} records have the same score "
    "under most models.",
    "Shadow models and the deployed model differ in recipe: {names}.",
    "Shadow models were trained in different ways ({paths}); an arm that has more of one may "
    "differ for that reason alone.",
    "The attack does not see planted canaries: its advantage is only known to be at least "
    "{lower} (estimate {estimate}), and {needed} is needed.",
    "The attack tells apart models that never saw the records, split at random: advantage at "
    "least {lower}.",
    "The attack tells apart models that never saw the records, split by order of training: "
    "advantage at least {lower}.",
    "The deployed model's test accuracy before unlearning is {accuracy}, outside the shadow "
    "models' 99 % band from {low} to {high}.",
    "The deployed model's test accuracy after unlearning is {accuracy}, outside the shadow "
    "models' 99 % band from {low} to {high}.",
)
FURTHER = (*AUDIT, *EXACT, *BOUNDED, *CANARIES, *GATE, *CERTIFICATE, *EXPERIMENT)
