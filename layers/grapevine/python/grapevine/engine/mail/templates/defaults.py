"""The program e-mails as they are until somebody writes their own."""

from __future__ import annotations

from collections.abc import Mapping

from grapevine.engine.mail.templates.template import Template, TemplateKey

DEFAULTS: Mapping[TemplateKey, Template] = {
    "welcomeNonReferred": Template(
        subject="Welcome to {{campaignName}}",
        preheader="Your personal link is ready to be shared.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>welcome to {{campaignName}}! From now on, whoever joins through your personal link counts for
you:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
<p>Send it to a friend, or put it where your friends will see it.</p>
{{emailFooter}}
""",
    ),
    "welcomeReferred": Template(
        subject='{{referrerFirstName|default("A friend")}} brought you to {{campaignName}}',
        preheader="You have a personal link of your own now.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>welcome to {{campaignName}}! {{referrerFirstName|default("A friend")}} sent you here, and you can
do the same for others. This is your own link:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
<p>Whoever joins through it counts for you.</p>
{{emailFooter}}
""",
    ),
    "referredSignup": Template(
        subject='{{referredFirstName|default("A friend")}} joined through your link',
        preheader="One more step until it counts for you.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>{{referredFirstName|default("a friend of yours")}} has just joined {{campaignName}} through your
link. As soon as the last step is done, it counts as your referral.</p>
<p>Meanwhile, your link works for everybody else, too:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
{{emailFooter}}
""",
    ),
    "referralLinkViewedFirstTime": Template(
        subject="Somebody has followed your link",
        preheader="The first visit is the hardest to get.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>your link for {{campaignName}} has been followed for the first time. That is how it begins: keep
sharing it.</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
{{emailFooter}}
""",
    ),
    "referralLinkUsed": Template(
        subject="You have a new referral",
        preheader='{{referredFirstName|default("A friend")}} counts for you now.',
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>thank you: {{referredFirstName|default("a friend of yours")}} now counts as your referral at
{{campaignName}}. Your referrals so far: {{referralCount}}.</p>
<p>There is room for more:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
{{emailFooter}}
""",
    ),
    "goalAchieved": Template(
        subject='You have earned {{rewardTitle|default("a reward")}}',
        preheader='A thank-you from {{companyName|default("us")}}.',
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>congratulations! At {{campaignName}} you have earned
<strong>{{rewardTitle|default("a reward")}}</strong>.</p>
{% if rewardDescription %}<p>{{rewardDescription}}</p>
{% endif %}{% if couponCode %}<p>Your code: <strong>{{couponCode}}</strong></p>
{% endif %}<p>Your link goes on working:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
{{emailFooter}}
""",
    ),
    "campaignEndedWinners": Template(
        subject="{{campaignName}} has ended, and you have won",
        preheader="Thank you for every referral.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>{{campaignName}} has ended, and you are among those who have earned a reward. Congratulations!
Your referrals: {{referralCount}}.</p>
<p>Thank you for taking part.</p>
{{emailFooter}}
""",
    ),
    "campaignEndedNonWinners": Template(
        subject="{{campaignName}} has ended",
        preheader="Thank you for taking part.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>{{campaignName}} has ended. We are glad that you were with us: every time that you shared your
link has helped.</p>
<p>Thank you for taking part.</p>
{{emailFooter}}
""",
    ),
    "progressUpdateMonthly": Template(
        subject='Your {{month|default("month")}} at {{campaignName}}',
        preheader="Referrals last month: {{prevMonthlyReferralCount}}.",
        body="""\
{{emailHeader}}
<p>Hi {{firstName|default("there")}},</p>
<p>here is what your link has brought in {{month|default("the last month")}}:</p>
<ul>
<li>Referrals of the month: {{prevMonthlyReferralCount}}</li>
<li>Referrals in all: {{referralCount}}</li>
</ul>
<p>A new month has begun. This is your link:</p>
<p><a href="{{shareUrl}}">{{shareUrl}}</a></p>
{{emailFooter}}
""",
    ),
}
