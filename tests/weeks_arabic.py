# ruff: noqa: RUF001 - Arabic letters look like others to those who cannot read them
"""The reference week, right to left: Arabic-Indic digits, Latin names inside."""

from collections.abc import Sequence
from dataclasses import replace

from digest.domain.articles import Image
from digest.domain.editions import Edition, Story
from digest.domain.letters import Sender
from digest.domain.newsletters import Newsletter
from tests.builders import make_newsletter
from tests.weeks import (
    RAFAH_URL,
    SPONSOR,
    make_edition,
    make_sections,
    make_story,
    our_picture,
    tell,
)


def arabic_week() -> tuple[Edition, Newsletter, Sequence[Story]]:
    """Five stories, each with its own words."""
    titles = {
        "news": "أخبار وسياسة",
        "features": "تقارير معمقة",
        "arts": "فنون وثقافة",
        "good": "خبر يسعد",
    }
    newsletter = make_newsletter(
        slug="weekly-ar",
        name="الأسبوع",
        language="ar",
        direction="rtl",
        theme={"wordmark": "شوارع مصرية", "digits": "arab"},
        purpose="رسالة واحدة كل أسبوع فيها قصص الأيام السبعة الماضية.",
        postal_address="١ شارع الصحافة\nالقاهرة، مصر",
        sender=Sender(
            name="الأسبوع",
            address="weekly@news.example.test",
            reply_to="editor@news.example.test",
        ),
        sections=make_sections(titles),
    )
    edition = make_edition(
        subject="مصر ترفض التنسيق بشأن معبر رفح: تقارير",
        preheader="وأيضا: القاهرة تنضم إلى دعوى جنوب أفريقيا؛ نساء يحفظن فخار الفيوم.",
        opening="أسبوع حسم فيه معبر واحد ما يصل إلى غزة وما لا يصل.",
        opening_by="منى، قسم النشرة",
        why="كان معبر رفح طريق المساعدات إلى جنوب غزة الذي لا تسيطر عليه إسرائيل.",
        sponsor=replace(SPONSOR, title="كتب مسموعة", text="شهران بلا مقابل."),
    )
    return edition, newsletter, _ARABIC


_ARABIC = (
    make_story(
        1,
        title="مصر ترفض التنسيق مع إسرائيل بشأن معبر رفح: تقارير",
        url=RAFAH_URL,
        standfirst="قال مصدر لم يذكر اسمه إن مصر ترفض التنسيق في تشغيل المعبر بسبب "
        "التصعيد. ومنذ السابع من مايو لم تعبر شاحنة مساعدات واحدة.",
        source="Egyptian Streets",
        word_count=420,
        image=Image(
            url="https://pictures.example.test/lead.png",
            credit="Demo drawing",
            alt="شاحنات تنتظر على جانب طريق صحراوي",
        ),
        picture=our_picture(1),
    ),
    tell(
        2,
        "news",
        "القاهرة تنضم إلى دعوى جنوب أفريقيا أمام محكمة العدل",
        "أعلنت وزارة الخارجية ذلك في ١٢ مايو.",
        "TRT World",
    ),
    tell(
        3,
        "news",
        "التضخم في المدن يتراجع إلى ٣٢٫٥ في المئة",
        "ارتفعت الأسعار بوتيرة أبطأ من الشهر الماضي.",
        "زاوية",
    ),
    tell(
        6,
        "features",
        "نساء يحفظن فخار الفيوم",
        "ثلاث ورش وفرنان وخلاف واحد على الطلاء.",
        "مادة تجريبية",
    ),
    tell(
        9,
        "arts",
        "«رفعت عيني للسما» إلى مهرجان كان",
        "يفتتح عروضه في أسبوع النقاد يوم ١٧ مايو.",
        "The National",
    ),
)
