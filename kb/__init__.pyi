# What `_HOMES` and `_FORMS` of __init__.py say, for a type checker; a test holds them in step. A stub since nothing may
# be imported at run time, and since the contracts of the house count what is imported under `if TYPE_CHECKING:` too.

from kb.api import KnowledgeBase as KnowledgeBase
from kb.api import match as match
from kb.errors import CaseError as CaseError
from kb.errors import InputError as InputError
from kb.errors import KbError as KbError
from kb.errors import StoreError as StoreError
from kb.errors import UsageError as UsageError
from kb.model.case import Case as Case
from kb.model.case import Predicate as Predicate
from kb.model.log import Line as Line
from kb.model.report import Frame as Frame
from kb.model.report import Report as Report
from kb.model.report import Signature as Signature
from kb.model.verdict import Annotation as Annotation
from kb.model.verdict import Diagnosis as Diagnosis
from kb.model.verdict import Match as Match
from kb.model.verdict import Reason as Reason
from kb.model.verdict import Sighting as Sighting
from kb.model.verdict import Verdict as Verdict
from kb.reading import notices as notices
from kb.reading import read as read
from kb.render.json import to_json as to_json
from kb.render.markdown import to_markdown as to_markdown
from kb.render.text import to_text as to_text
from kb.words.speak import english as english

__version__: str
