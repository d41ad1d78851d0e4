"""Files of the operator that clusters may need: Hadoop's configuration, keytab, krb5.conf.

Reading them is for whoever runs the operator; builders get their contents.
"""

from collections.abc import Mapping

import attrs


@attrs.frozen
class LocalFiles:
    """Contents of files on the operator's side.

    Attributes:
        hadoop: Hadoop's configuration, file name to content; only core-site.xml and hdfs-site.xml count.
        files: Path to content, of keytabs and krb5.conf files that configurations name.
    """

    hadoop: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, bytes] = attrs.field(factory=dict, repr=False)


NONE = LocalFiles()
