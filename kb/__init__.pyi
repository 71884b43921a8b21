# What `_HOMES` of __init__.py says to a type checker: a test holds the two in step. It is a stub because nothing may be
# imported at run time, and because `if TYPE_CHECKING:` would count as imports where the contracts of the house look.

from kb.api import KnowledgeBase as KnowledgeBase
from kb.api import match as match
from kb.api import notices as notices
from kb.api import read as read
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

__version__: str
