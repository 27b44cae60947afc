"""The sentences on what a record does not show, which ``limits`` chooses from."""

from __future__ import annotations

MATCHED = (
    "A method that still holds the records, and answers about them and about everything near them "
    "as if it had never seen them, is seen by no attack that asks the model. Nothing is claimed "
    "against such a method."
)
ALWAYS = (
    "The log shows that these records were not changed after they were written. It does not show "
    "that what was written is true: a dishonest operator could have run something else.",
    "Copies outside the lineage graph and the registered places (downloads, exports, notebooks, "
    "backups that have not been replayed) are not covered.",
    "Attacks that were not run: attribute inference, model inversion, extraction and "
    "reconstruction, and every attack that reads the weights.",
    MATCHED,
    "Events after the checkpoint of this record are not anchored by it. Whoever has both the "
    "database and the key of the log can write all of it anew: only a checkpoint that somebody "
    "else kept from before shows that.",
)
MASKED = (
    "Registered places in which rows remain with overwritten columns: {count}. They are masked, "
    "not erased: what else stands in a row, or in rows that refer to it, may still single "
    "somebody out."
)
EXCEPTED = (
    "Registered places in which data of the person are kept by decision, and restricted: {count}."
)
EXCEPTED_DATA = (
    "{count} part(s) of the person's data are kept under an exception of Art. 17(3), and "
    "restricted: {names}."
)
UNASKED = "Registered places that were not searched: {count}; the record says why of each."
IN_BACKUPS = (
    "{count} backup(s) still hold the person, each until the day on which the record says that it "
    "is destroyed."
)
NO_RETRAINED_ARM = (
    "Equivalence to retraining was not measured: no shadow models were retrained for it, so the "
    "best approximate outcome is that no leak beyond the margin was found."
)
NEIGHBOURHOOD = "neighbourhood"
NO_NEIGHBOURHOOD = (
    "No neighbourhood attack was made, which would meet a method that changes the scores of the "
    "records and of nothing around them."
)
CHOICES = (
    "The choice of architecture and hyperparameters, made when the records were present, was not "
    "redone."
)
REPLAYED = (
    "Exact means: the same plan of training with the places of the records empty, gone through "
    "from a state of before their first use or from the start. It is exact given that plan."
)
ADAPTIVE = (
    "What is said of the new versions holds given the recorded plan and randomness. It does not "
    "cover people who chose to ask after they saw what a published version says: their choice "
    "depends on that plan and randomness."
)
READERS = (
    "No API key of this platform is given the versions of both sides of this erasure. Whoever has "
    "copies of both, or of their answers, can learn from the difference who was erased."
)
HAD_BOTH = (
    "{count} reader(s) had versions of both sides of this erasure before it was known that one "
    "replaces the other. Whoever has both can learn from the difference who was erased."
)
SERVERS = (
    "{count} server(s) of the controller may go on from the version before this erasure to the "
    "one after, once the first is gone, as their API keys say; no other API key of this platform "
    "is given both. Whoever has copies of both, or of their answers, can learn from the "
    "difference who was erased."
)
SHARED = (
    "The unlearning runs of this case may have served others: {count} cases were planned "
    "together. The counts and digests of the forget sets of runs are of all that a run served."
)
SUBTRACTED = "Exact means: the records were subtracted from integer sums"
EXACT = {
    "retrain": "Exact means: trained again by the same code, recipe and seed without the records. "
    f"{CHOICES} A bit-identical second execution was not made.",
    "replay bit_exact": f"{REPLAYED} A second execution in another process of the same "
    f"environment gave the same bits. {CHOICES}",
    "replay same_recipe": f"{REPLAYED} Equal bits are not claimed. {CHOICES}",
    "decrement bit_exact": f"{SUBTRACTED}, which in the environment of the training gives the "
    f"bits of counting the others anew. {CHOICES}",
    "decrement same_recipe": f"{SUBTRACTED}. Equal bits are not claimed. {CHOICES}",
    "decrement": f"{SUBTRACTED}. Equal bits are not claimed. {CHOICES}",
}
NOT_REACHED = (
    "The installation asks for equal bits (EXPUNGE_MINIMUM). For {count} run(s) they could not be "
    "claimed, and the same recipe without the records is."
)
OUTSIDE = (
    "{count} model version(s) were trained again outside and captured. Their captured membership "
    "excludes the erased records; that the same recipe was used is not claimed."
)
LEFT_ALONE = (
    "{count} model version(s) that learned from the erased records were left as they are, and may "
    "be in use: {promises}. Their training bounded what one person could change (differential "
    "privacy), and the policy of this installation accepts that bound. The rows and files of the "
    "records are deleted nevertheless."
)
BOUND_MEANS = (
    "Epsilon and delta mean: whatever is computed from such a version is at most e^epsilon times "
    "as likely, or as unlikely, with the records as without them, but for a probability of delta. "
    "They do not mean that nothing of the records is left in it. The bound holds for the records "
    "that lineage knew as the person's when the version was trained, and for the version as it "
    "was trained; the bounds of several versions add up. It takes for granted that the noise was "
    "drawn as described and kept nowhere: exact real numbers and perfect chance, where the "
    "computer has floating-point numbers and a generator that is not cryptographic; and it does "
    "not count the choice of architecture and hyperparameters."
)
REMOVED = (
    "{count} model version(s) had the records taken out by a Newton step within a budget: "
    "{budgets}. So the new version is within that epsilon and delta of one trained without the "
    "records, over the noise of the training, which was kept nowhere. This does not cover who "
    "holds two versions of the sequence, for instance this one and the one before; people who "
    "chose to ask after they saw what was published; features that a model made which saw the "
    "records; and it takes exact real numbers and perfect chance for granted."
)
ON_REMOVED = (
    "{names} was made exactly, on a version from which other records had been taken out within an "
    "epsilon and a delta; of those it is within that, and not exact."
)
HELD = (
    "Unlearned model versions that got worse by more than is tolerated: {count}. They are held, "
    "and were not in use when this record was sealed."
)
EXCEPTED_VERSIONS = (
    "{count} model version(s) learned from the records and stay as they are by an exception of "
    "Art. 17(3): {names}."
)
KEPT = "{count} record(s) equal or close to an erased one were kept by decision of staff."
NEAR_SEARCH_INCOMPLETE = "NEAR_SEARCH_INCOMPLETE"
NOT_READ = (
    "Not all data of the affected versions could be read to compare inputs: where no recipe says "
    "how, only duplicates with the same bytes were searched."
)
UNKNOWN = (
    "Of {count} model version(s) it is not known all that they learned from; they are listed as "
    "possibly affected and were not unlearned."
)
STOOD_IN = (
    "From when the unlearning began until its result could serve, a model served that consists of "
    "parts as they were before any of the records was used. It was not worse by more "
    "than is tolerated, as far as that could be measured, and was not audited."
)
STAND_IN_HELD = (
    "From when the unlearning began until its result could serve, nothing served in the place of "
    "{names}: parts as they were before any of the records was used got worse by more than is "
    "tolerated, and were held."
)
OWN_RECORDS = (
    "The audit trained shadow models on the person's own records, under restriction; they and "
    "their scores were destroyed before this record was sealed, so nobody can repeat that "
    "training. The verdict recomputes from the kept aggregates."
)

SURROGATE = (
    "The audit trained shadow models on other people's records in place of the person's. It is "
    "evidence about the procedure; whether this one run behaved is tested on the person's records "
    "by comparison with models that never saw them, which can raise an alarm and never clears."
)

CERTIFIED = (
    "For {count} run(s) the numbers on the procedure were not measured for this case: they are "
    "those of a certificate from an earlier audit on other people's records, for the same "
    "procedure and for records of which the median was no easier than that of these; single ones "
    "of these may be harder. That the procedure treats these records alike is taken for granted; "
    "only the test of the one run was made on them."
)


BY_OPERATOR = (
    "No data subject asked for this. Two members of staff proposed and approved which records to "
    "take out; that the set is complete, and that every record in it is bad, is not shown."
)
SEARCHED = (
    "Other copies of these records were searched where their content is stored here; what staff "
    "decided about them is listed."
)
NOT_SEARCHED = "Other copies of these records, with the same or another label, were not searched."
APART = (
    "The records stay stored, apart and out of every training; that ends where a backup from "
    "before this case is restored."
)
UNSUPPORTED = (
    "{count} version(s) rest on a model of which it was not captured on what it was trained, and "
    "of which no evidence of its supplier is kept: {names}. How it was made is not known here."
)
SUPPORTED = (
    "{count} document(s) of suppliers are kept about models of which it was not captured on what "
    "they were trained: {names}. What they say was not checked here."
)
# As earlier releases sealed them: still told in other languages.
EARLIER = (
    "In {count} registered place(s) rows remain in which columns were overwritten. They are "
    "masked, not erased: what else stands in a row, or in rows that refer to it, may still "
    "single somebody out.",
    "In {count} registered place(s) data of the person are kept by decision, and restricted.",
    "{count} registered place(s) were not searched; the record says why of each.",
    "{count} unlearned model version(s) got worse by more than is tolerated. They are held, and"
    " were not in use when this record was sealed.",
)
