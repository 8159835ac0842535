"""What a model says of its own work, and what a user says in mid-run, in categories of words."""

from __future__ import annotations

from agentcal.features._lexicon import Lexicon

SPEECH = Lexicon(
    hedges="may|might|maybe|perhaps|possibly|probably|likely|seems|seem|appears|appear|assume"
    "|assuming|assumption|i think|i believe|i guess|approximately|roughly|unclear|unsure|not sure"
    "|not certain|estimate|estimated|presumably|it is possible|it's possible|could be",
    apologies="sorry|apologize|apologise|apologies|unfortunately|regret|regrettably|inconvenience"
    "|cannot help|can't help|cannot assist|can't assist|cannot fulfill|can't fulfill|decline|refuse"
    "|not comfortable|as an ai|inappropriate|violation|violate|unethical|illegal|policy"
    "|won't be able|will not be able|not allowed|not permitted",
    inability="unable|could not|couldn't|cannot|can't|can not|not able to|wasn't able|no access"
    "|don't have|do not have|does not exist|doesn't exist|not found|did not find|didn't find"
    "|no information|not available|unavailable|impossible|not possible|no results|didn't return"
    "|did not return|doesn't provide|does not provide|not specified|not provided|there is no"
    "|there are no|there were no|no such",
    success_claims="successfully|has been|have been|completed|i've|i have|is now|are now|all set"
    "|done|complete|finished",
    questions_back="could you|can you|would you like|please provide|please confirm|do you want"
    "|shall i|should i|please specify|please check|please share|please let|clarify|clarification"
    "|would you prefer|which one|you provide|you confirm|you'd like|you specify|more details"
    "|do you have|need you to",
    plans="i will|i'll|let me|let's|need to|going to|i should|next|proceed|first|we need"
    "|to do this",
    certainty="definitely|certainly|clearly|of course|absolutely|exactly|confirmed|verified|indeed"
    "|obviously|without doubt|confirm that|i can confirm|guaranteed",
    trouble="error|errors|fail|failed|fails|failure|issue|issues|problem|problems|invalid|exception"
    "|denied|rejected|timeout|went wrong|unexpected|unexpectedly|seems that|it seems|technical",
    corrections="actually|wait|mistake|mistaken|mistakenly|incorrect|incorrectly|wrong|i was wrong"
    "|try again|retry|let me try|let's try|i will try|i'll try|correct that|correction|corrected"
    "|another approach|different approach|another way|alternatively|instead|oops|scratch that"
    "|on second thought|let me correct|let me fix|let me recheck|let me double check|misread"
    "|misunderstood|misunderstanding|overlooked|missed|i forgot",
    concessions="however|but|although|though|except|partially|only|remaining|rest of|not yet|still"
    "|note that|please note|keep in mind|limited|without",
)
"""What a model says of its own work, in the newest text."""

USER = Lexicon(
    thanks="thank|thanks|appreciate|great|perfect|wonderful|that's all|excellent|awesome",
    consent="yes|sure|okay|ok|proceed|go ahead|confirm|confirmed|please do|sounds good|agree",
    pushback="wrong|incorrect|mistake|didn't|did not|i said|already told|already said|again|still"
    "|but|not what|instead|that's not|are you sure|double check|really|no|frustrated|frustrating"
    "|upset|disappointed|disappointing|unacceptable|ridiculous|angry|annoyed|annoying|terrible"
    "|complaint|unfair|unhappy",
)
"""What a user says in mid-run."""
