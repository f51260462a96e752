"""All that gates do with files: `ChatApp.files`."""

from handlers.context import Context
from handlers.files.avatars import Avatars
from handlers.files.cleaning import Cleaning
from handlers.files.counts import FileCounts
from handlers.files.downloads import Downloads
from handlers.files.receiving import Receiver
from handlers.files.spool import Spools
from handlers.files.uploading import Uploading
from handlers.pictures.workers import PictureWorkers


class FileService:
    """Receives, reads and takes away files for a `ChatApp`."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self.counts = FileCounts()
        self._spools = Spools(context.host.spool)
        self._workers = PictureWorkers(context.policy.max_image_pixels, self.counts.picture_s)
        receiver = Receiver(context.store, self._spools, self._workers, self.counts)
        self.uploads = Uploading(context, receiver, self.counts)
        self.avatars = Avatars(context, receiver, self.counts)
        self.downloads = Downloads(context, self.counts)
        self._cleaning = Cleaning(
            context.store, context.clock, self.counts, ttl_s=context.policy.upload_ttl_s
        )

    def start(self) -> None:
        """Begins to delete what nothing refers to."""
        self._store.subscribe(self._cleaning.published)
        self._cleaning.start()

    async def close(self) -> None:
        """The caller closes the store afterwards."""
        await self._cleaning.stop()
        self._workers.close()
        await self._spools.close()
